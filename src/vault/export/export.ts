import { existsSync, lstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openDurable, type Durable } from '#vault/durable';
import { openVault, VaultError, type OuterEntry } from '#vault/read';
import {
  amendmentsPath,
  historyPath,
  historySpan,
  parseVaultPath,
  segmentPath,
  tilePath,
  tileWidth,
  witnessedPath,
} from '#vault/tree';
import { verifyVault, type VerifyReport } from '#vault/verify';
import { earlierSize } from './earlier.ts';
import { openSource, readIfThere, withEarlier, type Source } from './source.ts';
import { assertTarget } from './target.ts';
import { fullTiles, newPartialTiles, replacedPartials } from './tiles.ts';

export type ExportOptions = {
  /** vault/ of a state directory; a keeper may be at work in it. */
  vault: string;
  /** Text of its public key. */
  vkey: string;
  /**
   * Becomes a state directory of its own, with `vault/` and `keys/vault.vkey`: what `vault verify --state` takes. An
   * earlier export of the same vault is brought up to date. Never the vault, what lies in it or around it.
   */
  target: string;
  /** Further directories that the target must keep out of, as the state directory of the vault. */
  keepOut?: readonly string[];
  onProgress?: (progress: ExportProgress) => void;
};

/** Outer entries copied, of how many. */
export type ExportProgress = { entries: number; size: number };

export type Exported = {
  origin: string;
  size: number;
  /** Of the copy before; 0 for a new one. */
  from: number;
  /** Files written. */
  files: number;
  bytes: number;
  /** Files removed from an earlier export because their lines expired or were redacted since. */
  removed: number;
  /** Files of an earlier export that were not what they should be, and were written anew. */
  mended: string[];
  /** Of the copy, as it is now. */
  report: VerifyReport;
  /** Files in which the report finds something wrong and which are the same in the vault itself. */
  alike: string[];
};

/** Segments that are copied at once. */
const parallel = 8;

/** A verification names a thousand problems at most. */
const maxRounds = 1000;

/**
 * Copies a vault, up to the checkpoint that is the newest when it begins, into a directory of its own. Everything that
 * proves goes with it, and nothing that signs: neither private key nor lock record. What expired or was redacted since
 * an earlier export goes from the copy too. `checkpoint` is written last, so a copy that was cut short is at worst an
 * older one. Then the copy is verified, and what is not right in it is written anew.
 * @throws VaultError `refused` for such a target; `absent`; `fork` where the target holds another log; `rolled-back`
 *   where it holds a newer state of this one; `corrupt`; `no-space`; system errors
 */
export const exportVault = async (options: ExportOptions): Promise<Exported> => {
  const { vault, vkey, target, keepOut = [], onProgress } = options;
  assertTarget({ target, sources: [...keepOut, vault] });
  const reader = openVault(vault, { vkey });
  const checkpoint = reader.checkpoint();
  if (checkpoint === null) throw new VaultError('absent', `no vault in ${vault}`);
  const to = join(target, 'vault');
  const from = earlierSize(vault, to, checkpoint, vkey);
  const copy = await beginCopy(to);
  const source = openSource(vault, reader, checkpoint);
  const removed = await copyAll({ source, copy, to, from, ...(onProgress ? { onProgress } : {}) });
  await copyKey(target, vkey);
  await copy.write('checkpoint', checkpoint.note);
  for (const directory of replacedPartials(from, checkpoint.size))
    await rm(join(to, directory), { recursive: true, force: true });
  await copy.end();
  const mended = new Set<string>();
  for (let round = 0; ; round++) {
    const report = await verifyVault({ vault: to, vkey });
    const wrong = [...new Set(report.problems.map(({ file }) => file))];
    const again = round === maxRounds ? [] : await mend({ source, to }, wrong);
    for (const file of again) mended.add(file);
    if (again.length > 0) continue;
    return {
      origin: checkpoint.origin,
      size: checkpoint.size,
      from,
      ...copy.written(),
      removed,
      mended: [...mended],
      report,
      alike: wrong.filter((file) => isAlike(source, to, file)),
    };
  }
};

type Copy = {
  write(path: string, bytes: Buffer): Promise<void>;
  remove(path: string): Promise<void>;
  written(): { files: number; bytes: number };
  /** What is unfinished goes. */
  end(): Promise<void>;
};

const beginCopy = async (to: string): Promise<Copy> => {
  const scratch = join(to, 'staging');
  const durable: Durable = openDurable({ scratch });
  await durable.makeDirectory(scratch);
  const written = { files: 0, bytes: 0 };
  return {
    async write(path, bytes) {
      await durable.write(join(to, path), bytes);
      written.files += 1;
      written.bytes += bytes.length;
    },
    remove: (path) => durable.remove([join(to, path)]),
    written: () => written,
    end: () => rm(scratch, { recursive: true, force: true }),
  };
};

type Copying = {
  source: Source;
  copy: Copy;
  to: string;
  /** Size of the earlier export. */
  from: number;
  onProgress?: (progress: ExportProgress) => void;
};

/** All but the checkpoint. @returns how many files went because their lines expired or were redacted */
const copyAll = async (copying: Copying): Promise<number> => {
  const { source, copy, to, from } = copying;
  const { size } = source.checkpoint;
  const partials = newPartialTiles(size);
  for (let first = 0; first <= size; first += historySpan) {
    const path = historyPath(first);
    for (const known of source.published(first)) partials.add(known);
    // A file that is full in the earlier export has not changed since.
    if (first + historySpan > from) await copy.write(path, withEarlier(source, to, path));
  }
  for (const tile of fullTiles(from, size)) await copyFile(copying, tilePath(tile));
  const removed = await copySegments(copying);
  for (const tile of partials.all()) await copyFile(copying, tilePath(tile));
  for (const path of [amendmentsPath, witnessedPath]) {
    const bytes = source.bytes(path);
    if (bytes !== null) await copy.write(path, bytes);
  }
  return removed;
};

const copyFile = async ({ source, copy }: Copying, path: string): Promise<void> => {
  const bytes = source.bytes(path);
  if (bytes === null) throw source.missing(path);
  await copy.write(path, bytes);
};

const copySegments = async (copying: Copying): Promise<number> => {
  const { source, onProgress } = copying;
  const { size } = source.checkpoint;
  let removed = 0;
  for (let first = 0; first < size; first += tileWidth) {
    const entries = source.reader.entries(first, Math.min(first + tileWidth, size));
    for (let at = 0; at < entries.length; at += parallel) {
      const counts = await Promise.all(
        entries.slice(at, at + parallel).map((entry) => copySegment(copying, entry)),
      );
      removed += counts.reduce((sum, count) => sum + count, 0);
    }
    onProgress?.({ entries: first + entries.length, size });
  }
  return removed;
};

const copySegment = async ({ source, copy, to }: Copying, { index, entry }: OuterEntry): Promise<number> => {
  if (entry.kind !== 'batch') return 0;
  const amendments = source.reader.amendments();
  const redaction = amendments.redaction(index);
  const path = segmentPath(index, redaction?.index);
  const { length } = redaction?.entry.segment ?? entry.segment;
  // One of this length is held against its entry when the copy is verified.
  const isThere = source.has(path);
  if (isThere && sizeOf(join(to, path)) !== length) await copyFile({ source, copy, to, from: 0 }, path);
  if (!isThere && amendments.expiry(index, entry) === null) throw source.missing(path);
  const others = amendments
    .all()
    .filter(({ entry: other }) => other.kind === 'redact' && other.target.entry === index)
    .map(({ index: revision }) => segmentPath(index, revision));
  const stale = [segmentPath(index), ...others].filter(
    (other) => (other !== path || !isThere) && existsSync(join(to, other)),
  );
  for (const other of stale) await copy.remove(other);
  return stale.length;
};

/** Writes anew what is not as it is in the vault, and removes what the vault does not have. @returns which */
const mend = async (
  { source, to }: { source: Source; to: string },
  wrong: readonly string[],
): Promise<string[]> => {
  const copy = await beginCopy(to);
  const mended: string[] = [];
  for (const path of wrong) {
    const file = parseVaultPath(path);
    if (file === null || file.kind === 'staging') continue;
    const bytes = sourceBytes(source, path);
    if (bytes === 'unfit' || isSame(bytes, join(to, path))) continue;
    if (bytes === null) await copy.remove(path);
    else await copy.write(path, bytes);
    mended.push(path);
  }
  await copy.end();
  return mended;
};

const isAlike = (source: Source, to: string, path: string): boolean => {
  if (parseVaultPath(path) === null) return false;
  const bytes = sourceBytes(source, path);
  return bytes === 'unfit' || isSame(bytes, join(to, path));
};

/** `unfit`: what the vault has is itself not what it should be. */
const sourceBytes = (source: Source, path: string): Buffer | null | 'unfit' => {
  try {
    return source.bytes(path);
  } catch (error) {
    if (error instanceof VaultError && error.code === 'corrupt') return 'unfit';
    throw error;
  }
};

const isSame = (bytes: Buffer | null, path: string): boolean => {
  const found = readIfThere(path);
  return bytes === null || found === null ? bytes === found : bytes.equals(found);
};

const copyKey = async (target: string, vkey: string): Promise<void> => {
  const keys = join(target, 'keys');
  const durable = openDurable({ scratch: keys });
  await durable.makeDirectory(keys);
  await durable.write(join(keys, 'vault.vkey'), Buffer.from(`${vkey.trim()}\n`), 0o644);
};

const sizeOf = (path: string): number | null => lstatSync(path, { throwIfNoEntry: false })?.size ?? null;
