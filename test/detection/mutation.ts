import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** One thing that somebody does to a state directory. Paths are relative to it: `vault/…`, `keys/lock`. */
export type Mutation =
  | { kind: 'flip'; path: string; byte: number; bit: number }
  | { kind: 'cut'; path: string; length: number }
  | { kind: 'extend'; path: string; by: 'zero' | 'line' | 'itself' | 'empty frame' }
  /** A segment with the same content, compressed in another way. */
  | { kind: 'recompress'; path: string }
  | { kind: 'swap'; path: string; other: string }
  /** The file as it was in an earlier state. */
  | { kind: 'replay'; path: string; state: number }
  | { kind: 'remove'; path: string }
  | { kind: 'replace'; path: string; by: 'nothing' | 'link' | 'directory' | 'dangling link' }
  /** All that a commit added, or only as much of it: every file that is in no earlier state. */
  | { kind: 'drop'; state: number; what: 'all' | 'segments' | 'tiles' | 'history' }
  /** The whole of vault/ as it was. */
  | { kind: 'roll back'; state: number };

/** A state directory for mutation, and the earlier states of the same one that an attacker has kept. */
export type Subject = { root: string; states: readonly string[] };

export const describeMutation = (mutation: Mutation): string => JSON.stringify(mutation);

/** Does it. @returns how to undo it, and the paths that differ now */
export const mutate = (subject: Subject, mutation: Mutation): { changed: string[]; undo: () => void } => {
  const { root, states } = subject;
  const at = (path: string): string => join(root, path);
  switch (mutation.kind) {
    case 'flip': {
      const bytes = readFileSync(at(mutation.path));
      const changed = Buffer.from(bytes);
      changed[mutation.byte] = (changed[mutation.byte] ?? 0) ^ (1 << mutation.bit);
      return put(root, [[mutation.path, changed]]);
    }
    case 'cut':
      return put(root, [[mutation.path, readFileSync(at(mutation.path)).subarray(0, mutation.length)]]);
    case 'extend': {
      const bytes = readFileSync(at(mutation.path));
      const more = {
        zero: Buffer.from([0]),
        line: Buffer.from('\n'),
        itself: bytes,
        // A skippable frame of zstd (RFC 8878 §3.1.2): it decompresses to nothing.
        'empty frame': Buffer.from('502a4d1800000000', 'hex'),
      }[mutation.by];
      return put(root, [[mutation.path, Buffer.concat([bytes, more])]]);
    }
    case 'recompress': {
      const bytes = readFileSync(at(mutation.path));
      const changed = zstdCompressSync(zstdDecompressSync(bytes), {
        params: { [constants.ZSTD_c_checksumFlag]: 1 },
      });
      if (changed.equals(bytes)) throw new Error(`${mutation.path}: compressed again, it is the same`);
      return put(root, [[mutation.path, changed]]);
    }
    case 'swap': {
      const [one, other] = [readFileSync(at(mutation.path)), readFileSync(at(mutation.other))];
      return put(root, [
        [mutation.path, other],
        [mutation.other, one],
      ]);
    }
    case 'replay':
      return put(root, [[mutation.path, readFileSync(join(states[mutation.state] ?? '', mutation.path))]]);
    case 'remove':
      return put(root, [[mutation.path, null]]);
    case 'replace':
      return replace(root, mutation.path, mutation.by);
    case 'drop': {
      const gone = addedSince(subject, mutation.state).filter((path) => isOf(path, mutation.what));
      return put(
        root,
        gone.map((path) => [path, null]),
      );
    }
    case 'roll back': {
      rmSync(at('vault'), { recursive: true });
      cpSync(join(states[mutation.state] ?? '', 'vault'), at('vault'), { recursive: true });
      const undo = (): void => {
        rmSync(at('vault'), { recursive: true });
        cpSync(join(states.at(-1) ?? '', 'vault'), at('vault'), { recursive: true });
      };
      return { changed: ['vault/checkpoint'], undo };
    }
  }
};

/** @param files what each is to hold; `null`: it is to be gone */
const put = (
  root: string,
  files: readonly (readonly [string, Uint8Array | null])[],
): { changed: string[]; undo: () => void } => {
  const before = files.map(([path]) => [path, readFileSync(join(root, path))] as const);
  for (const [path, bytes] of files) {
    if (bytes === null) rmSync(join(root, path));
    else writeFileSync(join(root, path), bytes);
  }
  return {
    changed: files.map(([path]) => path),
    undo: () => {
      for (const [path, bytes] of before) writeFileSync(join(root, path), bytes);
    },
  };
};

const replace = (
  root: string,
  path: string,
  by: Extract<Mutation, { kind: 'replace' }>['by'],
): { changed: string[]; undo: () => void } => {
  const file = join(root, path);
  const bytes = readFileSync(file);
  const away = join(root, 'away');
  rmSync(file);
  writeFileSync(away, bytes);
  if (by === 'nothing') writeFileSync(file, '');
  if (by === 'link') symlinkSync(away, file);
  if (by === 'dangling link') symlinkSync(join(root, 'nowhere'), file);
  if (by === 'directory') mkdirSync(file);
  return {
    changed: [path],
    undo: () => {
      rmSync(file, { recursive: true });
      rmSync(away);
      writeFileSync(file, bytes);
    },
  };
};

const isOf = (path: string, what: Extract<Mutation, { kind: 'drop' }>['what']): boolean =>
  what === 'all' ||
  path.startsWith({ segments: 'vault/segment/', tiles: 'vault/tile/', history: 'vault/history/' }[what]);

/** Files of the subject that an earlier state does not have. */
export const addedSince = ({ root, states }: Subject, state: number): string[] =>
  filesIn(root).filter(
    (path) => lstatSync(join(states[state] ?? '', path), { throwIfNoEntry: false }) === undefined,
  );

/** The files of a state directory that a verifier looks at: all of vault/, and the signer's memory. */
export const filesIn = (root: string): string[] => [
  ...readdirSync(join(root, 'vault'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort(),
  'keys/lock',
];

/** Whether two files are of one kind, so that one might be taken for the other. */
export const isSameKind = (one: string, other: string): boolean => kindOf(one) === kindOf(other);

const kindOf = (path: string): string =>
  path.startsWith('vault/tile/entries/')
    ? 'bundle'
    : path.startsWith('vault/') && dirname(path) !== 'vault'
      ? (path.split('/')[1] ?? '')
      : 'note';
