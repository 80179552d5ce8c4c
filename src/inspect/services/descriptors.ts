import { readdirSync, readlinkSync } from 'node:fs';
import { systemCode } from '#base/errors';
import { namespaceInode } from './held-namespaces.ts';
import { isKernelThread } from './processes.ts';

export type SocketHolders = {
  /** Process ids by socket inode, ascending. Only inodes that were asked for. */
  byInode: Map<number, number[]>;
  /** Sockets that were not asked for, by inode, each with one descriptor of it. Not those of this process, which are for looking. */
  others: Map<number, Descriptor>;
  /** Network namespaces that a descriptor stands for, by inode: its path. */
  namespaces: Map<number, string>;
  /** Processes whose descriptors may not be read. What they hold is unknown. */
  unreadable: number[];
};

export type Descriptor = { pid: number; descriptor: number };

/**
 * Finds every process that has one of the sockets open, by reading all descriptors of all processes: a socket may be
 * inherited, passed on and shared, so the search never stops at the first holder. Synchronous calls from one thread
 * are several times faster here than the thread pool. A directory that may be listed can still have links that may
 * not be read.
 *
 * Not seen: descriptors that a thread keeps apart from its process (CLONE_FILES unset), and sockets in flight.
 */
export const findHolders = (
  proc: string,
  pids: readonly number[],
  wanted: ReadonlySet<number>,
): SocketHolders => {
  const byInode = new Map<number, number[]>();
  const others = new Map<number, Descriptor>();
  const namespaces = new Map<number, string>();
  const unreadable: number[] = [];
  for (const pid of pids) {
    const directory = `${proc}/${pid}/fd/`;
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      const gone =
        error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
      if (!gone && !isKernelThread(proc, pid)) unreadable.push(pid);
      continue;
    }
    let denied = false;
    for (const name of names) {
      let target: string;
      try {
        target = readlinkSync(directory + name);
      } catch (error) {
        denied ||= systemCode(error) === 'EACCES'; // else it was closed since the directory was read
        continue;
      }
      if (!target.startsWith('socket:[')) {
        const inode = target.startsWith('net:[') ? namespaceInode(target) : null;
        if (inode !== null) namespaces.set(inode, directory + name);
        continue;
      }
      const inode = Number(target.slice('socket:['.length, -1));
      if (!wanted.has(inode)) {
        if (pid !== process.pid && !others.has(inode)) others.set(inode, { pid, descriptor: Number(name) });
        continue;
      }
      const holders = byInode.get(inode);
      if (holders === undefined) byInode.set(inode, [pid]);
      else if (holders.at(-1) !== pid) holders.push(pid);
    }
    if (denied) unreadable.push(pid);
  }
  return { byInode, others, namespaces, unreadable };
};
