import { messageOf } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import { interfaceIndexes, interfaceNames } from './inside.ts';
import type { OpenNamespace } from './namespaces.ts';
import type { Surroundings } from './scope.ts';
import { tables, type SocketRow } from './tables.ts';

/** Sockets of one namespace that share protocol, address, port and owner. */
export type Endpoint = {
  row: SocketRow;
  inodes: number[];
  namespace: OpenNamespace;
  surroundings: Surroundings;
};

/** What `readEndpoints` reads of a namespace. */
export const endpointFiles = [...tables.map(({ file }) => file), 'dev', 'dev_mcast', 'if_inet6', 'protocols'];

/** Texts of tables by file. */
export type TableTexts = ReadonlyMap<string, string>;

/**
 * All endpoints of a namespace; a table that cannot be read or understood is named, and hides only itself.
 * @param extent of the tables whose texts are given back too: connections cost time, and some callers want them
 */
export const readEndpoints = (
  namespace: OpenNamespace,
  extent: 'listening' | 'whole' = 'listening',
): { endpoints: Endpoint[]; texts: TableTexts; couldNotLook: CouldNotLook[] } => {
  const couldNotLook: CouldNotLook[] = [];
  const rows: SocketRow[] = [];
  const texts = new Map<string, string>();
  for (const { file, parse } of tables) {
    try {
      const text = namespace.read(file, extent);
      if (text !== null) {
        texts.set(file, text);
        for (const row of parse(text)) rows.push(row);
      } else if (file === 'tcp' && (namespace.own || namespace.read('dev') !== null))
        couldNotLook.push(noTables(nameOf(namespace)));
    } catch (error) {
      couldNotLook.push({
        what: `table ${file} of ${nameOf(namespace)}`,
        why: messageOf(error),
        remedy: 'run as root; if it is a malformed row, report it',
      });
    }
  }

  const surroundings = surroundingsOf(namespace);
  const byKey = new Map<string, Endpoint>();
  const indexes = rows.some(({ protocol }) => protocol === 'packet')
    ? interfaceIndexes(tryRead(namespace, 'dev_mcast'), tryRead(namespace, 'if_inet6'))
    : new Map<number, string>();
  for (const raw of rows) {
    const address = raw.protocol === 'packet' ? interfaceName(raw.address, indexes) : raw.address;
    const row = { ...raw, address };
    const key = [row.protocol, row.family, address, row.port, row.uid].join(' ');
    const endpoint = byKey.get(key);
    if (endpoint === undefined) byKey.set(key, { row, inodes: [row.inode], namespace, surroundings });
    else if (!endpoint.inodes.includes(row.inode)) endpoint.inodes.push(row.inode);
  }
  return { endpoints: [...byKey.values()], texts, couldNotLook };
};

/** Every kernel with a network has a table of TCP sockets: without one, nothing is known of the rest either. */
export const noTables = (name: string): CouldNotLook => ({
  what: `sockets of ${name}`,
  why: 'there is no table of its TCP sockets: /proc/<pid>/net/tcp',
  remedy: 'mount a complete procfs at /proc; if it is one, report it with the output of uname -a',
});

/** Inodes of the sockets that are there now, of the tables in which these are. */
export const readInodes = (namespace: OpenNamespace, like: readonly SocketRow[]): Set<number> => {
  const inodes = new Set<number>();
  const files = new Set(like.map(({ protocol, family }) => `${protocol}${family === 6 ? '6' : ''}`));
  for (const { file, parse } of tables) {
    if (!files.has(file)) continue;
    try {
      for (const { inode } of parse(namespace.read(file) ?? '')) inodes.add(inode);
    } catch {
      // it was readable a moment ago: the namespace is gone
    }
  }
  return inodes;
};

export const ownNamespace = "the host's own network namespace";

/** Whether a gap may hide sockets of the host itself, so that "nothing is open" says nothing. */
export const hidesOwnSockets = ({ what }: CouldNotLook): boolean =>
  what === 'sockets and processes' ||
  (/^(?:sockets|table \S+) of /.test(what) && what.endsWith(ownNamespace));

export const nameOf = ({ own, name, inode }: OpenNamespace): string =>
  own ? ownNamespace : `network namespace ${name ?? `net:[${inode ?? 'unknown'}]`}`;

const surroundingsOf = (namespace: OpenNamespace): Surroundings => {
  if (namespace.own) return 'own';
  const names = interfaceNames(tryRead(namespace, 'dev') ?? '');
  return names.length > 0 && names.every((name) => name === 'lo')
    ? 'other, with no interface but lo'
    : 'other';
};

export const tryRead = (namespace: OpenNamespace, file: string): string | null => {
  try {
    return namespace.read(file);
  } catch {
    return null;
  }
};

const interfaceName = (address: string, indexes: ReadonlyMap<number, string>): string =>
  address === '*' ? address : (indexes.get(Number(address.slice('if'.length))) ?? address);
