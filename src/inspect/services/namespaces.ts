import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import type { CouldNotLook } from '#base/looked';
import { messageOf, systemCode } from '#base/errors';
import { lastWordOf } from '../errors.ts';
import type { HostPaths } from '../host.ts';
import { linkOf } from './processes.ts';
import { readTable } from './table-file.ts';
import type { NetworkNamespace } from './report.ts';

/** A network namespace and how to read its tables. */
export type OpenNamespace = NetworkNamespace & {
  /** Path that nsenter(1) can enter, or `null` for the namespace of this very process. */
  enter: string | null;
  /** Text of a file under its /proc/net; `null` if there is none, or no process is left in the namespace. */
  read(file: string): string | null;
};

export type Namespaces = { namespaces: OpenNamespace[]; couldNotLook: CouldNotLook[] };

/**
 * Every network namespace that a process is in, and every one that has a name under /run/netns or /run/docker/netns.
 *
 * Reading the link `ns/net` takes ptrace rights, but anybody may see the inode of `/proc/<pid>/net/dev`, and each
 * namespace has its own: that tells them apart without any right. Namespaces that are kept alive by a descriptor or a
 * mount elsewhere alone are not seen; nor is one that a single thread of a process has entered.
 *
 * @param files what to read of a namespace that no process is in
 * @param hidden why processes of other users are hidden, else `null`
 */
export const findNamespaces = async (
  { proc, root }: HostPaths,
  pids: readonly number[],
  files: readonly string[],
  hidden: string | null,
): Promise<Namespaces> => {
  const couldNotLook: CouldNotLook[] = [];
  const named = namedNamespaces(root, couldNotLook);
  const ownKey = deviceTable(proc, 1) ?? deviceTable(proc, 'self');
  const selfKey = deviceTable(proc, 'self');

  const found = new Map<
    number,
    { members: (number | 'self')[]; inode: number | null; enter: string | null }
  >();
  for (const pid of pids) {
    const key = deviceTable(proc, pid);
    if (key === null) continue;
    const member = key === selfKey ? 'self' : pid;
    const known = found.get(key) ?? { members: [], inode: null, enter: null };
    found.set(key, known);
    if (known.members.at(-1) !== member) known.members.push(member);
    if (known.inode !== null) continue;
    known.inode = linkInode(linkOf(`${proc}/${member}/ns/net`));
    known.enter = member === 'self' ? null : `${proc}/${member}/ns/net`;
  }

  const namespaces = [...found].map(([key, { members, inode, enter }]): OpenNamespace => ({
    inode,
    name: (inode === null ? null : named.get(inode)?.name) ?? null,
    own: key === ownKey,
    enter,
    read(file) {
      // Processes end at any time: any other one in the same namespace will do.
      const member = members.find((one) => deviceTable(proc, one) === key);
      return member === undefined ? null : readTable(`${proc}/${member}/net`, file);
    },
  }));
  const seen = new Set(namespaces.map((namespace) => namespace.inode));
  const empty = [...named].filter(([inode]) => !seen.has(inode));
  for (const [inode, { name, path }] of empty) {
    try {
      const texts = await readInside(path, files);
      namespaces.push({ inode, name, own: false, enter: path, read: (file) => texts.get(file) ?? null });
    } catch (error) {
      const some = hidden !== null || namespaces.some((namespace) => namespace.inode === null);
      couldNotLook.push({
        what: `network namespace ${name} (${path})`,
        why: `${some ? 'it could not be told whether a process is in it' : 'no process is in it'}, and entering it failed: ${lastWordOf(error)}`,
        remedy: 'run as root, with nsenter (util-linux) installed',
      });
    }
  }
  return { namespaces, couldNotLook };
};

const deviceTable = (proc: string, pid: number | 'self'): number | null => {
  try {
    return statSync(`${proc}/${pid}/net/dev`).ino;
  } catch {
    return null;
  }
};

/** `net:[4026531833]` → 4026531833 */
const linkInode = (target: string | null): number | null => {
  const digits = target === null ? undefined : /\[(\d+)\]$/.exec(target)?.[1];
  return digits === undefined ? null : Number(digits);
};

const namedNamespaces = (
  root: string,
  couldNotLook: CouldNotLook[],
): Map<number, { name: string; path: string }> => {
  const named = new Map<number, { name: string; path: string }>();
  for (const directory of [`${root}/run/netns`, `${root}/run/docker/netns`]) {
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') {
        couldNotLook.push({
          what: `named network namespaces in ${directory}`,
          why: messageOf(error),
          remedy: 'run as root',
        });
      }
      continue;
    }
    for (const name of names) {
      const path = `${directory}/${name}`;
      try {
        const { ino } = statSync(path);
        if (!named.has(ino)) named.set(ino, { name, path });
      } catch {
        // deleted between the two calls
      }
    }
  }
  return named;
};

const separator = '\u0001holdfast\u0001';

/** Reads a namespace that no process is in, by sending a shell into it: /proc/self/net follows the reader. */
const readInside = async (path: string, files: readonly string[]): Promise<Map<string, string>> => {
  const script = `for file in "$@"; do printf '${separator}%s\\n' "$file"; cat "/proc/self/net/$file" 2>/dev/null; done; :`;
  const { stdout } = await promisify(execFile)(
    'nsenter',
    [`--net=${path}`, '--', 'sh', '-c', script, 'sh', ...files],
    { encoding: 'latin1', maxBuffer: 256 << 20, timeout: 10_000 },
  );
  const texts = new Map<string, string>();
  for (const part of stdout.split(separator).slice(1)) {
    const end = part.indexOf('\n');
    if (end + 1 < part.length) texts.set(part.slice(0, end), part.slice(end + 1));
  }
  return texts;
};

/** Names of the interfaces in the text of /proc/net/dev. */
export const interfaceNames = (text: string): string[] =>
  [...text.matchAll(/^ *([^\s:]+):/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));

/** Interface names by index, as far as /proc/net/dev_mcast and /proc/net/if_inet6 tell. */
export const interfaceIndexes = (devMcast: string | null, ifInet6: string | null): Map<number, string> => {
  const names = new Map<number, string>();
  for (const line of (devMcast ?? '').split('\n')) {
    const [index, name] = line.trim().split(/\s+/);
    if (name !== undefined) names.set(Number(index), name);
  }
  for (const line of (ifInet6 ?? '').split('\n')) {
    const [, index, , , , name] = line.trim().split(/\s+/);
    if (name !== undefined) names.set(Number.parseInt(index ?? '', 16), name);
  }
  return names;
};
