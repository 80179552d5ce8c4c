import type { CouldNotLook } from '#base/looked';
import { listProcesses, remedyFor, whyHidden } from '../services/unseen.ts';

/** Which processes procfs shows this user. Only where it shows all is the absence of one an answer. */
export type VisibleProcesses = {
  pids: number[];
  /** `some`: those of other users are not even listed. `none`: there is no procfs. */
  seen: 'all' | 'some' | 'none';
  couldNotLook: CouldNotLook[];
};

/** @param what what cannot be told of processes that are not listed, for `couldNotLook` */
export const visibleProcesses = (proc: string, what: string): VisibleProcesses => {
  const { pids, blind } = listProcesses(proc);
  if (blind !== null) return { pids, seen: 'none', couldNotLook: [{ ...blind, what }] };
  const uid = process.geteuid?.() ?? -1;
  const why = whyHidden(proc, uid);
  return why === null
    ? { pids, seen: 'all', couldNotLook: [] }
    : { pids, seen: 'some', couldNotLook: [{ what, why, remedy: remedyFor(uid) }] };
};
