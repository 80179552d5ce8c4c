import type { Descriptor, SocketHolders } from './descriptors.ts';
import type { DescribedProcess } from './holder-process.ts';
import type { SocketDetails } from './socket-details.ts';
import { textOf } from '../host.ts';

/**
 * What a later look need not find out again. A socket that is still in the table is held by whoever held it, as long as
 * these processes run on: so only what is new is looked for, and everything once a minute.
 */
export type Memory = {
  /** Inodes of sockets that are no door and belong to no namespace that was not seen. */
  readonly asked: Set<number>;
  /** Inodes of doors of the look before. */
  seen: ReadonlySet<number>;
  holders: Remembered | null;
  /** By inode, of wildcards. */
  details: ReadonlyMap<number, SocketDetails>;
  /** When processes started, as far as this look has asked. */
  readonly starts: Map<number, string | null>;
  /** By pid. */
  readonly processes: Map<
    number,
    { start: string; exe: string | null; at: number; described: DescribedProcess }
  >;
};

type Remembered = {
  at: number;
  wanted: ReadonlySet<number>;
  starts: ReadonlyMap<number, string>;
  holders: SocketHolders;
};

export const newMemory = (): Memory => ({
  asked: new Set(),
  seen: new Set(),
  holders: null,
  details: new Map(),
  starts: new Map(),
  processes: new Map(),
});

const freshForMs = 60_000;

/** Since when a process runs, in the kernel's own measure, which tells it from a later one of the same number; `null` if it is gone. */
export const startTicks = (memory: Memory, proc: string, pid: number): string | null => {
  const known = memory.starts.get(pid);
  if (known !== undefined) return known;
  const stat = textOf(`${proc}/${pid}/stat`);
  const start = stat === null ? null : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null);
  memory.starts.set(pid, start);
  return start;
};

/** The holders of all these sockets, where nothing has come or gone since they were looked for. */
export const recallHolders = (
  memory: Memory,
  proc: string,
  wanted: ReadonlySet<number>,
): SocketHolders | null => {
  const { holders: known } = memory;
  if (known === null || performance.now() - known.at > freshForMs) return null;
  if (!wanted.isSubsetOf(known.wanted)) return null;
  for (const [pid, start] of known.starts) if (startTicks(memory, proc, pid) !== start) return null;
  return { ...known.holders, others: new Map<number, Descriptor>(), namespaces: new Map<number, string>() };
};

export const rememberHolders = (
  memory: Memory,
  proc: string,
  wanted: ReadonlySet<number>,
  holders: SocketHolders,
): void => {
  const pids = new Set([...holders.byInode.values()].flat());
  const starts = new Map(
    [...pids].flatMap((pid): [number, string][] => {
      const start = startTicks(memory, proc, pid);
      return start === null ? [] : [[pid, start]];
    }),
  );
  memory.holders = { at: performance.now(), wanted, starts, holders };
  if (memory.asked.size > 65_536) memory.asked.clear(); // inodes of sockets that are no more
};

/** What was found out of a process within the last minute, where it is still the same program. */
export const recallProcess = (
  { processes }: Memory,
  pid: number,
  start: string | null,
  exe: string | null,
): DescribedProcess | null => {
  const known = processes.get(pid);
  const same = known !== undefined && known.start === start && known.exe === exe;
  return same && performance.now() - known.at < freshForMs ? known.described : null;
};
