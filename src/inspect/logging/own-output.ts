import type { NamedProcess, OpenFile, OpenFiles } from './open-files.ts';

/** Open files less those that Holdfast alone writes. */
export type ForeignFiles = {
  files: OpenFile[];
  /** Paths that Holdfast alone writes. */
  own: ReadonlySet<string>;
};

/**
 * Sets apart what Holdfast writes itself, such as the redirected output of `holdfast up`. Its processes are those given
 * and their descendants; the processes that started them (npm, a shell) have the same output open and change nothing.
 * A file that anybody else writes too is a log like any other.
 *
 * @param pids Holdfast's own processes; those that run no more count for nothing
 */
export const foreignFiles = ({ written, processes }: OpenFiles, pids: readonly number[]): ForeignFiles => {
  const byId = new Map(processes.map((process) => [process.pid, process]));
  const given = new Set(pids.filter((pid) => byId.has(pid)));
  const launchers = new Set([...given].flatMap((pid) => ancestors(byId, pid)));
  const isOwn = ({ pid }: NamedProcess): boolean =>
    given.has(pid) || ancestors(byId, pid).some((ancestor) => given.has(ancestor));
  const own = new Set<string>();
  for (const [path, opened] of Map.groupBy(written, (file) => file.path)) {
    const writers = opened.map(({ process }) => process);
    if (writers.some(isOwn) && writers.every((writer) => isOwn(writer) || launchers.has(writer.pid)))
      own.add(path);
  }
  return { files: written.filter(({ path }) => !own.has(path)), own };
};

/** Ids of the processes above one, nearest first, without PID 1: what that writes is the whole host's. */
const ancestors = (byId: ReadonlyMap<number, NamedProcess>, pid: number): number[] => {
  const above: number[] = [];
  for (let id = byId.get(pid)?.parent ?? 0; id > 1 && !above.includes(id); id = byId.get(id)?.parent ?? 0)
    above.push(id);
  return above;
};
