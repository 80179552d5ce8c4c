import type { CouldNotLook } from '#base/looked';
import { lastWordOf } from '../errors.ts';
import { textOf } from '../host.ts';
import type { DescribedProcess } from './holder-process.ts';
import { bootTime } from './processes.ts';
import { listSystemdSockets, type ManagerSockets } from './systemd-sockets.ts';

/** A systemd, of the system, of a user, or of a container. */
export const isSystemd = ({ shown }: DescribedProcess): boolean =>
  /^(?:\/usr)?\/lib\/systemd\/systemd$/.test(shown.exe ?? '');

export type Managers = {
  /** What the manager that runs as this process listens on, where it could be asked. */
  of(process: DescribedProcess): ManagerSockets | null;
  couldNotLook: CouldNotLook[];
};

/**
 * Asks each systemd among the processes what its sockets are for. That of a container is not asked: programs of its own
 * would have to be run with this process's rights.
 */
export const socketsOfManagers = async (
  proc: string,
  processes: readonly DescribedProcess[],
): Promise<Managers> => {
  const couldNotLook: CouldNotLook[] = [];
  const booted = bootTime(textOf(`${proc}/stat`) ?? '');
  const byPid = new Map<number, ManagerSockets>();
  await Promise.all(
    processes.filter(isSystemd).map(async ({ shown: { pid, uid, container, user }, argv }) => {
      const isUsers = argv.includes('--user');
      const whose =
        container !== null
          ? `in ${container.manager} ${container.name ?? '?'}`
          : isUsers
            ? `of user ${user ?? '?'}`
            : '';
      const what = `units of the sockets that systemd ${whose} holds`.replace('  ', ' ');
      if (container !== null || (pid !== 1 && !isUsers)) {
        couldNotLook.push({
          what,
          why: 'it is that of a container, and is not asked from outside',
          remedy: 'run holdfast services list in it',
        });
        return;
      }
      try {
        byPid.set(pid, await listSystemdSockets(isUsers ? (uid ?? 0) : 'system', booted));
      } catch (error) {
        couldNotLook.push({
          what,
          why: lastWordOf(error),
          remedy: 'see that `systemctl list-sockets` works',
        });
      }
    }),
  );
  return { of: ({ shown }) => byPid.get(shown.pid) ?? null, couldNotLook };
};
