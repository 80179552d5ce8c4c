import { growAmendments } from './amendments.ts';
import { parseBundle } from './bundle.ts';
import { parseDecimal, parseHash } from './decimal.ts';
import { edgeRoot, growEdge, loadEdge, type TreeFile } from './edge.ts';
import { parseEntry, type Entry } from './entry.ts';
import { VaultFormatError } from './format-error.ts';
import { sha256 } from './hash.ts';
import { historyPath, parseVaultPath, tileWidth } from './tile-path.ts';

/**
 * Everything that applying a commit writes, durable before the commit point: `vault/staging/<size>-<root, hex>`.
 * The signed checkpoint is not in it: that comes from the lock record, so nothing is signed before the commit point.
 *
 *     holdfast.staging/v1 <SHA-256, hex, of everything after this line>
 *     <JSON: Plan>
 *     <bytes of the files, in order>
 */
export type Staged = {
  size: number;
  root: Buffer;
  /** Size of the log before. */
  from: number;
  /** Where the checkpoint goes in its history file. */
  history: { path: string; offset: number };
  files: TreeFile[];
  /** Directories of partial tiles that full ones replace. */
  replaced: string[];
};

const kind = 'holdfast.staging/v1';

export const stagingName = (size: number, root: Buffer): string => `${size}-${root.toString('hex')}`;

export const parseStagingName = (name: string): { size: number; root: Buffer } | null => {
  const [sizeText = '', rootText = '', ...rest] = name.split('-');
  const size = parseDecimal(sizeText);
  const root = parseHash(rootText);
  return size === null || root === null || rest.length > 0 ? null : { size, root };
};

export const encodeStaging = (staged: Staged): Buffer => {
  const plan = {
    size: staged.size,
    root: staged.root.toString('hex'),
    from: staged.from,
    history: staged.history,
    files: staged.files.map(({ path, bytes }) => ({ path, length: bytes.length })),
    replaced: staged.replaced,
  };
  const rest = Buffer.concat([
    Buffer.from(`${JSON.stringify(plan)}\n`),
    ...staged.files.map((file) => file.bytes),
  ]);
  return Buffer.concat([Buffer.from(`${kind} ${sha256(rest).toString('hex')}\n`), rest]);
};

/** More entries than one commit ever takes: so far beyond the checkpoint may segments of an unfinished commit lie. */
export const maxUncommitted = 1024;

/** Bytes that a staging bundle may have: more than the entries of one commit ever make. */
export const maxStaging = 128 * 1024 * 1024;

/** @throws VaultFormatError for bytes that no keeper writes */
export const parseStaging = (bytes: Buffer): Staged => {
  const firstEnd = bytes.indexOf(0x0a);
  const rest = bytes.subarray(firstEnd + 1);
  if (firstEnd < 0 || bytes.toString('latin1', 0, firstEnd) !== `${kind} ${sha256(rest).toString('hex')}`) {
    throw new VaultFormatError('staging bundle is damaged: its first line does not match the rest');
  }
  const planEnd = rest.indexOf(0x0a);
  // The hash is not keyed: anybody can make one that matches, so the plan is hostile like everything else.
  const plan = parsePlan(rest.toString('utf8', 0, Math.max(0, planEnd)));
  let at = planEnd + 1;
  const files = plan.files.map(({ path, length }) => {
    const file = { path, bytes: rest.subarray(at, at + length) };
    at += length;
    return file;
  });
  if (at !== rest.length) throw new VaultFormatError('staging bundle is longer or shorter than its plan');
  return { ...plan, files };
};

type Plan = Omit<Staged, 'files'> & { files: { path: string; length: number }[] };

const parsePlan = (text: string): Plan => {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch (error) {
    throw new VaultFormatError('the plan of the staging bundle is no JSON', { cause: error });
  }
  const history = property(plan, 'history');
  const root = parseHash(textOf(property(plan, 'root')));
  if (root === null) throw new VaultFormatError('the plan of the staging bundle names no root');
  return {
    size: countOf(property(plan, 'size')),
    root,
    from: countOf(property(plan, 'from')),
    history: { path: textOf(property(history, 'path')), offset: countOf(property(history, 'offset')) },
    files: listOf(property(plan, 'files')).map((file) => ({
      path: textOf(property(file, 'path')),
      length: countOf(property(file, 'length')),
    })),
    replaced: listOf(property(plan, 'replaced')).map(textOf),
  };
};

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;

const textOf = (value: unknown): string => {
  if (typeof value !== 'string') throw new VaultFormatError('the plan of the staging bundle lacks a text');
  return value;
};

const countOf = (value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new VaultFormatError('the plan of the staging bundle lacks a number');
  return value;
};

const listOf = (value: unknown): unknown[] => {
  if (!Array.isArray(value)) throw new VaultFormatError('the plan of the staging bundle lacks a list');
  return value;
};

/** A published checkpoint, and a size and root that are to follow it. */
export type Continuation = {
  published: { size: number; root: Buffer; note: Buffer };
  next: { size: number; root: Buffer };
  /** Bytes of a file of the vault as it is published; may throw. */
  read: (path: string) => Buffer;
  /** Bytes of `amendments`, which may or may not be of `next` already; empty where there is none. */
  amendments: Buffer;
};

/**
 * Whether a bundle is the one commit that leads from the published log to `next`: nothing in it is believed, it is
 * made again from the published tiles and its entries, and must come out the same. What it does not show is that the
 * segments are there.
 * @returns the new entries, in order
 * @throws VaultFormatError says what contradicts; whatever `read` throws
 */
export const checkStaging = (
  staged: Staged,
  { published, next, read, amendments }: Continuation,
): { index: number; entry: Entry }[] => {
  if (staged.size !== next.size || !staged.root.equals(next.root))
    throw new VaultFormatError(`staging bundle of size ${staged.size} is not the one of size ${next.size}`);
  if (staged.from !== published.size)
    throw new VaultFormatError(
      `staging bundle continues size ${staged.from}, and the log ends at ${published.size}`,
    );
  const encoded = newEntries(staged);
  const growth = growEdge(loadEdge(read, published.size, published.root), encoded);
  if (growth.edge.size !== next.size || !edgeRoot(growth.edge).equals(next.root))
    throw new VaultFormatError('the entries of the staging bundle do not lead to its root');
  const entries = encoded.map(parseEntry);
  const amended = growAmendments(amendments, published.size, entries);
  const files = amended === null ? growth.files : [...growth.files, amended];
  if (!isSame(files, staged.files) || growth.replaced.join('\n') !== staged.replaced.join('\n'))
    throw new VaultFormatError('the staging bundle has other tiles than its entries make');
  if (staged.history.path !== historyPath(staged.size))
    throw new VaultFormatError(`the staging bundle names ${staged.history.path} for its checkpoint`);
  const prev = sha256(published.note);
  return entries.map((entry, i) => {
    if (entry.prev.size !== published.size || !entry.prev.sha256.equals(prev))
      throw new VaultFormatError(
        `staged entry ${published.size + i} does not follow the published checkpoint`,
      );
    return { index: published.size + i, entry };
  });
};

/** The entries from `from` on that the bundles in it hold. */
const newEntries = ({ files, from, size }: Staged): Buffer[] => {
  const found: Buffer[] = [];
  for (const { path, bytes } of files) {
    const file = parseVaultPath(path);
    if (file?.kind === 'amendments') continue;
    if (file?.kind !== 'tile')
      throw new VaultFormatError(`the staging bundle holds ${path}, which is no tile`);
    const { level, index, width } = file.tile;
    if (level !== 'entries') continue;
    const known = Math.max(0, from + found.length - index * tileWidth);
    found.push(...parseBundle(bytes, width).slice(known));
  }
  if (found.length !== size - from || found.length === 0)
    throw new VaultFormatError(`the staging bundle holds ${found.length} new entries, not ${size - from}`);
  return found;
};

const isSame = (files: readonly TreeFile[], others: readonly TreeFile[]): boolean =>
  files.length === others.length &&
  files.every(({ path, bytes }, i) => path === others[i]?.path && bytes.equals(others[i].bytes));
