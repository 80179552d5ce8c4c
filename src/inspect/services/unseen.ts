import type { CouldNotLook } from '#base/looked';
import { textOf } from '../host.ts';

/** Processes whose descriptors may not be read, as one statement with examples. */
export const unreadableProcesses = (proc: string, pids: readonly number[], uid: number): CouldNotLook => {
  const examples = pids.slice(0, 3).map((pid) => `${pid} ${(textOf(`${proc}/${pid}/comm`) ?? '?').trim()}`);
  return {
    what: `sockets held by ${pids.length === 1 ? 'one process' : `${pids.length} processes`} (${examples.join(', ')}${pids.length > 3 ? ', …' : ''})`,
    why: `permission denied: ${proc}/<pid>/fd, as user id ${uid}`,
    remedy:
      uid === 0
        ? 'they are shielded even from root here (a container, or a security module): look from the machine itself'
        : 'run as root',
  };
};

/** Processes that are not even listed: procfs mounted with hidepid (proc(5)), for anyone but root. */
export const hiddenProcesses = (proc: string, uid: number): CouldNotLook[] => {
  if (uid === 0) return [];
  const mounted = (textOf(`${proc}/self/mountinfo`) ?? '').split('\n').find((line) => {
    const [before = '', after = ''] = line.split(' - ');
    return before.split(' ')[4] === proc && /^proc .*\bhidepid=(?!0|off)/.test(after);
  });
  if (mounted === undefined) return [];
  return [
    { what: 'processes of other users', why: `${proc} is mounted with hidepid`, remedy: 'run as root' },
  ];
};
