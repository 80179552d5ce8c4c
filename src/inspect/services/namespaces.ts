import { statSync } from 'node:fs';
import type { CouldNotLook } from '#base/looked';
import { lastWordOf } from '../errors.ts';
import type { HostPaths } from '../host.ts';
import { containerFinder } from './containers.ts';
import { enterByFile, hereAlready, type Enter } from './enter.ts';
import { mountedNamespaces, namedNamespaces, namespaceInode, type HeldNamespace } from './held-namespaces.ts';
import { readInside } from './inside.ts';
import { linkOf } from './processes.ts';
import { readTable } from './table-file.ts';
import type { NetworkNamespace } from './report.ts';

/** A network namespace and how to read its tables. */
export type OpenNamespace = NetworkNamespace & {
  enter: Enter;
  /** Text of a file under its /proc/net; `null` if there is none, or no process is left in the namespace. */
  read(file: string, extent?: 'listening' | 'whole'): string | null;
};

export type Namespaces = { namespaces: OpenNamespace[]; couldNotLook: CouldNotLook[] };

/**
 * Every network namespace that a process is in, that has a name under /run/netns or /run/docker/netns, or that a mount
 * holds. Those that nothing but a descriptor or a socket holds come to light with the descriptors (`stray-sockets.ts`).
 *
 * Reading the link `ns/net` takes ptrace rights, but anybody may see the inode of `/proc/<pid>/net/dev`, and each
 * namespace has its own: that tells them apart without any right.
 *
 * @param files what to read of a namespace that no process is in
 * @param hidden why processes of other users are hidden, else `null`
 */
export const findNamespaces = async (
  paths: HostPaths,
  pids: readonly number[],
  files: readonly string[],
  hidden: string | null,
): Promise<Namespaces> => {
  const { proc, root } = paths;
  const couldNotLook: CouldNotLook[] = [];
  const named = namedNamespaces(root, couldNotLook);
  const ownKey = deviceTable(proc, 1) ?? deviceTable(proc, 'self');
  const selfKey = deviceTable(proc, 'self');

  const found = new Map<number, { members: (number | 'self')[]; inode: number | null; enter: Enter }>();
  for (const pid of pids) {
    const key = deviceTable(proc, pid);
    if (key === null) continue;
    const member = key === selfKey ? 'self' : pid;
    const known = found.get(key) ?? { members: [], inode: null, enter: hereAlready };
    found.set(key, known);
    if (known.members.at(-1) !== member) known.members.push(member);
    if (known.inode !== null) continue;
    known.inode = namespaceInode(linkOf(`${proc}/${member}/ns/net`));
    known.enter = member === 'self' ? hereAlready : enterByFile(`${proc}/${member}/ns/net`);
  }

  const containerOf = containerFinder(paths);
  const namespaces = [...found].map(([key, { members, inode, enter }]): OpenNamespace => {
    const own = key === ownKey;
    const [first] = members;
    const held = inode === null ? undefined : named.get(inode);
    return {
      inode,
      name: held?.name ?? null,
      own,
      container: own || typeof first !== 'number' ? null : containerOf(first),
      // The process that it was seen by may have ended by then.
      enter: own || held === undefined ? enter : enterByFile(held.path),
      read(file, extent) {
        // Processes end at any time: any other one in the same namespace will do.
        const member = members.find((one) => deviceTable(proc, one) === key);
        return member === undefined ? null : readTable(`${proc}/${member}/net`, file, extent);
      },
    };
  });
  const seen = new Set(namespaces.map((namespace) => namespace.inode));
  const held = new Map([...mountedNamespaces(proc, pids), ...named]);
  for (const [inode, one] of held) {
    if (seen.has(inode)) continue;
    const opened = await openHeld(inode, one, files, hidden !== null || seen.has(null));
    if ('enter' in opened) namespaces.push(opened);
    else couldNotLook.push(opened);
  }
  return { namespaces, couldNotLook };
};

/** @param doubt it may be that a process is in it, which could not be told */
const openHeld = async (
  inode: number,
  { name, path }: HeldNamespace,
  files: readonly string[],
  doubt: boolean,
): Promise<OpenNamespace | CouldNotLook> => {
  try {
    return await openEmpty(inode, name, enterByFile(path), files);
  } catch (error) {
    return {
      what: `network namespace ${name ?? `net:[${inode}]`} (${path})`,
      why: `${doubt ? 'it could not be told whether a process is in it' : 'no process is in it'}, and entering it failed: ${lastWordOf(error)}`,
      remedy: 'run as root, with nsenter (util-linux) installed',
    };
  }
};

/** A namespace that no process is in, read at once. @throws where it cannot be entered */
export const openEmpty = async (
  inode: number,
  name: string | null,
  enter: Enter,
  files: readonly string[],
): Promise<OpenNamespace> => {
  const texts = await readInside(enter, files);
  return { inode, name, own: false, container: null, enter, read: (file) => texts.get(file) ?? null };
};

const deviceTable = (proc: string, pid: number | 'self'): number | null => {
  try {
    return statSync(`${proc}/${pid}/net/dev`).ino;
  } catch {
    return null;
  }
};
