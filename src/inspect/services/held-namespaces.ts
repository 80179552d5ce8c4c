import { readdirSync, statSync } from 'node:fs';
import type { CouldNotLook } from '#base/looked';
import { messageOf, systemCode } from '#base/errors';
import { textOf } from '../host.ts';
import { linkOf } from './processes.ts';

/** A file by which a namespace can be entered, and what people call it. */
export type HeldNamespace = { name: string | null; path: string };

/** `net:[4026531833]` → 4026531833 */
export const namespaceInode = (target: string | null): number | null => {
  const digits = target === null ? undefined : /^\/?net:\[(\d+)\]$/.exec(target)?.[1];
  return digits === undefined ? null : Number(digits);
};

/** Namespaces that have a name under /run/netns or /run/docker/netns, by inode. */
export const namedNamespaces = (root: string, couldNotLook: CouldNotLook[]): Map<number, HeldNamespace> => {
  const named = new Map<number, HeldNamespace>();
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

/** Namespaces that a mount holds, in whichever mount namespace, by inode. One process of each of them is asked. */
export const mountedNamespaces = (proc: string, pids: readonly number[]): Map<number, HeldNamespace> => {
  const asked = new Set<string>();
  const mounted = new Map<number, HeldNamespace>();
  for (const pid of pids) {
    const mounts = linkOf(`${proc}/${pid}/ns/mnt`);
    if (mounts === null || asked.has(mounts)) continue;
    asked.add(mounts);
    for (const { inode, point } of parseNamespaceMounts(textOf(`${proc}/${pid}/mountinfo`) ?? ''))
      if (!mounted.has(inode)) mounted.set(inode, { name: null, path: `${proc}/${pid}/root${point}` });
  }
  return mounted;
};

/** Mounts of nsfs in the text of /proc/<pid>/mountinfo (proc(5)): `… net:[4026532218] /run/netns/blue … - nsfs nsfs …`. */
export const parseNamespaceMounts = (text: string): { inode: number; point: string }[] =>
  [...text.matchAll(/^\d+ \d+ \S+ (net:\[\d+\]) (\S+) .* - nsfs /gm)].flatMap(([, root = '', point = '']) => {
    const inode = namespaceInode(root);
    return inode === null ? [] : [{ inode, point: unescaped(point) }];
  });

/** `\040` → a space: the kernel's octal escapes. */
const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
