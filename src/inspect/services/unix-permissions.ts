import { lstatSync, type Stats } from 'node:fs';
import { textOf } from '../host.ts';
import type { UnixPermissions } from './report.ts';

/**
 * Who may connect to sockets by their paths (unix(7)): who may write to the socket and search every directory above it.
 * Root always may. Access control lists and security modules are not looked at.
 */
export const permissionFinder = (): ((root: string, path: string) => UnixPermissions | null) => {
  const seen = new Map<string, Stats | null>();
  const names = new Map<string, Map<number, string>>();
  const statOf = (path: string): Stats | null => {
    const known = seen.get(path);
    if (known !== undefined) return known;
    const stat = statAt(path);
    seen.set(path, stat);
    return stat;
  };
  const nameOf = (root: string, file: 'passwd' | 'group', id: number): string => {
    const key = `${root}/etc/${file}`;
    const known = names.get(key) ?? namesIn(textOf(key) ?? '');
    names.set(key, known);
    return known.get(id) ?? String(id);
  };
  return (root, path) => {
    if (!path.startsWith('/')) return null;
    const stat = statOf(root + path);
    if (stat === null || !stat.isSocket()) return null;
    const who = (one: Stats): string =>
      `${nameOf(root, 'passwd', one.uid)}:${nameOf(root, 'group', one.gid)}`;
    const closed = directoriesAbove(path).flatMap((directory) => {
      const one = statOf(root + directory);
      return one === null || (one.mode & 0o001) !== 0
        ? []
        : [`through ${directory} (${octal(one)} ${who(one)})`];
    });
    const [owner = '', group = ''] = who(stat).split(':');
    const users = [...new Set(['root', ...((stat.mode & 0o200) === 0 ? [] : [owner])])];
    const some = [`user ${users.join(', ')}`, ...((stat.mode & 0o020) === 0 ? [] : [`group ${group}`])];
    const may = (stat.mode & 0o002) === 0 ? some.join(', ') : 'anyone';
    return { mode: octal(stat), owner, group, connect: [may, ...closed].join('; ') };
  };
};

const statAt = (path: string): Stats | null => {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
};

const octal = ({ mode }: Stats): string => (mode & 0o7777).toString(8).padStart(4, '0');

/** `/run/x/y.sock` → `/run`, `/run/x` */
const directoriesAbove = (path: string): string[] => {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`);
};

/** Of passwd(5) and group(5), which begin alike. */
const namesIn = (text: string): Map<number, string> =>
  new Map(
    text.split('\n').flatMap((line): [number, string][] => {
      const [name, , id] = line.split(':');
      return name === undefined || id === undefined ? [] : [[Number(id), name]];
    }),
  );
