import { messageOf } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import { textOf } from '../host.ts';
import { processIds, userIdOf } from './processes.ts';

/** All processes that procfs lists. There is always one: that of the reader. None is a procfs that is not there. */
export const listProcesses = (proc: string): { pids: number[]; blind: CouldNotLook | null } => {
  const blind = (why: string): { pids: number[]; blind: CouldNotLook } => ({
    pids: [],
    blind: { what: 'sockets and processes', why, remedy: `mount a procfs: mount -t proc proc ${proc}` },
  });
  try {
    const pids = processIds(proc);
    return pids.length === 0
      ? blind(`${proc} lists no process: no procfs is mounted there`)
      : { pids, blind: null };
  } catch (error) {
    return blind(messageOf(error));
  }
};

/** Processes whose descriptors may not be read, as one statement with examples. */
export const unreadableProcesses = (proc: string, pids: readonly number[], uid: number): CouldNotLook => {
  const examples = pids.slice(0, 3).map((pid) => `${pid} ${(textOf(`${proc}/${pid}/comm`) ?? '?').trim()}`);
  return {
    what: `sockets held by ${pids.length === 1 ? 'one process' : `${pids.length} processes`} (${examples.join(', ')}${pids.length > 3 ? ', …' : ''})`,
    why: `permission denied: ${proc}/<pid>/fd, as user id ${uid}`,
    remedy: remedyFor(uid),
  };
};

/** What lets a process of this user see the others. */
export const remedyFor = (uid: number): string =>
  uid === 0
    ? 'they are shielded even from root here (a container, or a security module): look from the machine itself'
    : 'run as root';

/**
 * Why processes of other users may not even be listed, or `null` where all are: procfs mounted with hidepid (proc(5)),
 * or anything else that hides PID 1, which always exists. Where PID 1 is the reader's own, only the mount tells.
 */
export const whyHidden = (proc: string, uid: number): string | null => {
  const mount = mountOf(proc);
  const hidepid = mount !== null && /\bhidepid=(?!0|off)/.test(mount);
  const first = userIdOf(proc, 1);
  if (first === null) return hidepid ? `${proc} is mounted with hidepid` : `${proc} does not show process 1`;
  return hidepid && uid !== 0 && first === uid ? `${proc} is mounted with hidepid` : null;
};

/** Options of the topmost file system mounted at the path, from /proc/self/mountinfo (proc(5)). */
const mountOf = (path: string): string | null =>
  (textOf(`${path}/self/mountinfo`) ?? '')
    .split('\n')
    .findLast((line) => line.split(' ')[4] === path)
    ?.split(' - ')[1] ?? null;

/** Processes that are not even listed, as one statement. */
export const hiddenProcesses = (why: string, uid: number): CouldNotLook => ({
  what: 'processes of other users: their sockets and network namespaces',
  why,
  remedy: remedyFor(uid),
});
