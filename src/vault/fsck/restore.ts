import { existsSync, lchownSync, lstatSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isForbidden, messageOf } from '#base/errors';
import { lockFile } from '#base/file-lock';
import { openDurable, type Durable } from '#vault/durable';
import { fullTiles, newPartialTiles, replacedPartials } from '#vault/export';
import { VaultError } from '#vault/read';
import { readVaultFile } from '#vault/tiles';
import {
  amendmentsPath,
  historyPath,
  historySpan,
  maxBundle,
  maxSegment,
  parseVaultPath,
  tilePath,
  witnessedPath,
} from '#vault/tree';
import { verifyVault, type VerifyReport } from '#vault/verify';
import { notesOf, openContent, type Content } from './content.ts';
import { findGoal, openCopy, type GoodCopy, type Goal } from './goal.ts';

/** A verification names a thousand problems at most. */
const maxRounds = 1000;

export type RestoreOptions = {
  vault: string;
  keys: string;
  /** Text of the vault's public key. */
  vkey: string;
  /** An exported state directory. */
  copy: string;
};

export type Restored = {
  /** `false`: the vault was intact, and nothing was touched. */
  wasDamaged: boolean;
  /** What was written. */
  files: string[];
  /** Segments that had come back although their lines expired or were redacted. */
  removed: string[];
  /** Size of the copy; `null` where nobody looked. */
  copySize: number | null;
  /** Of the vault, as it is now. */
  report: VerifyReport;
};

/**
 * Puts back from a copy what verification of the vault names, and what is missing because the vault was put back. An
 * intact vault is not touched. Of the copy, which is verified first, nothing is used but what is under its signed
 * checkpoint, and that must agree with what the vault and its signer remember. Holds the keeper's lock meanwhile.
 * @throws VaultError `in-use` while a keeper runs; `absent` where the copy has no vault; `corrupt` for a copy that is not
 *   intact, `fork` for one of another log; `unreadable`; `no-space`; system errors
 */
export const restoreFrom = async (options: RestoreOptions): Promise<Restored> => {
  const { vault, keys, vkey, copy } = options;
  assertCopy(copy);
  const holder = existsSync(keys) ? await lockFile(join(keys, 'keeper.lock'), 0) : null;
  if (holder === null && existsSync(keys))
    throw new VaultError('in-use', `a keeper holds ${vault}: end Holdfast first, then restore`);
  const lock = join(keys, 'lock');
  const verify = (): Promise<VerifyReport> =>
    verifyVault({ vault, vkey, ...(existsSync(lock) ? { lock } : {}) });
  try {
    const before = await verify();
    if (before.ok) return { wasDamaged: false, files: [], removed: [], copySize: null, report: before };
    if (before.integrity.verdict === 'unknown')
      throw new VaultError(
        'unreadable',
        `parts of ${vault} cannot be read, so nothing was restored: ${before.problems[0]?.what}`,
      );
    const good = await openCopy(copy, vkey);
    const goal = findGoal({ vault, keys, vkey }, before, good);
    return { ...(await restore(options, verify, before, good, goal)), copySize: good.checkpoint.size };
  } finally {
    holder?.release();
  }
};

const assertCopy = (copy: string): void => {
  const checkpoint = join(copy, 'vault', 'checkpoint');
  try {
    if (lstatSync(checkpoint, { throwIfNoEntry: false }) !== undefined) return;
  } catch (error) {
    throw new VaultError(
      isForbidden(error) ? 'unreadable' : 'absent',
      `cannot look at ${checkpoint}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  throw new VaultError('absent', `${copy} is no copy of a vault: it has no vault/checkpoint`);
};

const restore = async (
  { vault, vkey }: RestoreOptions,
  verify: () => Promise<VerifyReport>,
  before: VerifyReport,
  copy: GoodCopy,
  goal: Goal,
): Promise<Omit<Restored, 'copySize'>> => {
  const durable = openDurable({ scratch: join(vault, 'staging') });
  await durable.makeDirectory(join(vault, 'staging'));
  const files = new Set<string>();
  const removed = new Set<string>();
  const open = (report: VerifyReport): Content =>
    openContent(vault, report.keys?.inForce ?? vkey, copy, goal);
  const put = async (content: Content, path: string): Promise<boolean> => {
    const bytes = content.bytes(path);
    if (bytes === null || isThere(vault, path, bytes)) return false;
    await write(durable, vault, path, bytes);
    files.add(path);
    return true;
  };
  let report = before;
  if (goal.size > goal.from) {
    const content = open(before);
    await grow(vault, copy, goal, (path) => put(content, path));
    report = await verify();
  }
  for (let round = 0; round < maxRounds && !report.ok; round++) {
    const content = open(report);
    let changes = 0;
    for (const path of inOrder(new Set(report.problems.map(({ file }) => file)))) {
      if (await put(content, path)) changes += 1;
      else if (isWithdrawn(vault, content, path)) {
        await durable.remove([join(vault, path)]);
        removed.add(path);
        changes += 1;
      }
    }
    if (changes === 0) break;
    report = await verify();
  }
  return { wasDamaged: true, files: [...files], removed: [...removed], report };
};

/** Brings a vault that was put back forward: what the new checkpoint needs first, and itself last. */
const grow = async (
  vault: string,
  copy: GoodCopy,
  { from, size }: Goal,
  put: (path: string) => Promise<boolean>,
): Promise<void> => {
  for (const tile of fullTiles(from, size)) await put(tilePath(tile));
  const partials = newPartialTiles(size);
  for (let first = 0; first <= size; first += historySpan)
    for (const published of notesOf(copy.vault, historyPath(first)).keys())
      if (published <= size) partials.add(published);
  for (const tile of partials.all()) await put(tilePath(tile));
  for (let first = Math.floor(from / historySpan) * historySpan; first <= size; first += historySpan)
    await put(historyPath(first));
  for (const path of [amendmentsPath, witnessedPath, 'checkpoint']) await put(path);
  for (const directory of replacedPartials(from, size)) {
    assertNoLink(vault, directory);
    rmSync(join(vault, directory), { recursive: true, force: true });
  }
};

/** Segments last: which of them are still to be there, the entries say, and a checkpoint is not before what it covers. */
const inOrder = (paths: ReadonlySet<string>): string[] => {
  const rank = (path: string): number =>
    path.startsWith('segment/') ? 2 : path === 'checkpoint' || path === witnessedPath ? 1 : 0;
  return [...paths].sort((a, b) => rank(a) - rank(b));
};

/** Its lines expired, or a redaction has taken its place, and that is there: it came back with an older state. */
const isWithdrawn = (vault: string, content: Content, path: string): boolean => {
  const file = parseVaultPath(path);
  if (file?.kind !== 'segment' || lstatSync(join(vault, path), { throwIfNoEntry: false }) === undefined)
    return false;
  const place = content.place(file.entry);
  if (place === null || !place.isWithdrawn(path)) return false;
  return place.path === null || existsSync(join(vault, place.path));
};

const isThere = (vault: string, path: string, bytes: Buffer): boolean => {
  try {
    return readVaultFile(vault, path, Math.max(maxBundle, maxSegment))?.equals(bytes) === true;
  } catch (error) {
    if (error instanceof VaultError) return false;
    throw error;
  }
};

/** Root restores for the keeper: what it makes belongs to whom the vault belongs to. */
const write = async (durable: Durable, vault: string, path: string, bytes: Buffer): Promise<void> => {
  assertNoLink(vault, path);
  await durable.write(join(vault, path), bytes);
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = lstatSync(vault);
  for (let at = join(vault, path); at !== vault; at = dirname(at)) lchownSync(at, uid, gid);
};

/** A link in the vault would lead writing out of it. */
const assertNoLink = (vault: string, path: string): void => {
  for (let at = dirname(join(vault, path)); at !== vault && at !== dirname(at); at = dirname(at))
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw new VaultError('refused', `${at} is a link, which no vault has: remove it, then restore`);
};
