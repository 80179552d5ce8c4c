import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, parseLock, parseVkey, type Checkpoint } from '#vault/checkpoint';
import { openVault, VaultError, type VaultReader } from '#vault/read';
import { openTiles, type Tiles } from '#vault/tiles';
import { verifyVault, type VerifyReport } from '#vault/verify';

/** A copy that was verified with our key: whatever comes out of it is under its checkpoint. */
export type GoodCopy = { vault: string; reader: VaultReader; checkpoint: Checkpoint; tiles: Tiles };

/**
 * Verifies a copy.
 * @param copy an exported state directory
 * @param vkey text of our own key
 * @throws VaultError `absent`, `corrupt`, `fork` for another log, `unreadable`
 */
export const openCopy = async (copy: string, vkey: string): Promise<GoodCopy> => {
  const vault = join(copy, 'vault');
  const report = await verifyVault({ vault, vkey });
  const [first] = report.problems;
  if (!report.ok)
    throw new VaultError(
      report.integrity.verdict === 'unknown' ? 'unreadable' : 'corrupt',
      `${copy} is no intact copy of this log, so nothing of it was used: ${first === undefined ? '' : `${first.file}: ${first.what}`} ` +
        `(${report.integrity.detail}). Use another copy; "holdfast vault verify --state ${copy} --key KEY" says more, ` +
        'and takes the earlier key for one from before the key was replaced',
    );
  const { name } = parseVkey(vkey);
  if (report.origin !== name)
    throw new VaultError(
      'fork',
      `${copy} is of another log (${report.origin}, not ${name}): nothing was used`,
    );
  const reader = openVault(vault, { vkey: report.keys?.inForce ?? vkey });
  const checkpoint = reader.checkpoint();
  if (checkpoint === null || checkpoint.size !== report.size)
    throw new VaultError('corrupt', `${copy} changes while it is looked at: nothing of it was used`);
  return { vault, reader, checkpoint, tiles: openTiles(vault, checkpoint) };
};

/** What the vault is to be when it has been restored. */
export type Goal = {
  size: number;
  /** Size that it has now, as far as anything signed says. */
  from: number;
  /** What the signer remembers; `null` where nothing can be read. */
  signed: Checkpoint | null;
};

/**
 * What can be reached with this copy: the size that the vault has, and where the signer remembers more, that, or as much
 * of it as the copy has. Never more than the signer remembers: it would sign a second history over it.
 * @param report of our vault
 * @throws VaultError `fork` where the copy contradicts the vault, or what the signer remembers
 */
export const findGoal = (
  { vault, keys, vkey }: { vault: string; keys: string; vkey: string },
  report: VerifyReport,
  copy: GoodCopy,
): Goal => {
  const signed = readSigned(join(keys, 'lock'), report.keys?.inForce ?? vkey);
  const from = report.size;
  const most = copy.checkpoint.size;
  if (signed !== null) assertContains(copy, signed, 'what the signer remembers (keys/lock)');
  const root = report.root === null ? null : Buffer.from(report.root, 'base64');
  if (root !== null) assertContains(copy, { size: from, root }, 'the checkpoint of this vault');
  if (most < from) assertContinued(vault, report.keys?.inForce ?? vkey, copy);
  const waits = report.freshness.signer.says === 'one more';
  const remembered = waits ? from : (signed?.size ?? from);
  const isLost = signed === null && report.problems.some(({ file }) => file === 'checkpoint');
  const reachable = isLost ? most : Math.min(most, remembered);
  return { size: Math.max(from, reachable), from, signed };
};

const readSigned = (lock: string, vkey: string): Checkpoint | null => {
  try {
    return openCheckpoint(parseLock(readFileSync(lock)).note, parseVkey(vkey));
  } catch {
    // What is wrong with it, verification says.
    return null;
  }
};

const assertContains = (
  { checkpoint, tiles }: GoodCopy,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  what: string,
): void => {
  if (size <= checkpoint.size && !tiles.rootAt(size).equals(root))
    throw new VaultError(
      'fork',
      `the copy contradicts ${what}: another root for size ${size}. Nothing was written; keep both for examination`,
    );
};

/** That a vault which is newer than the copy begins with it, as far as the vault's own tiles can say. */
const assertContinued = (vault: string, vkey: string, { checkpoint: { size, root } }: GoodCopy): void => {
  let own: Buffer;
  try {
    const checkpoint = openCheckpoint(readFileSync(join(vault, 'checkpoint')), parseVkey(vkey));
    own = openTiles(vault, checkpoint).rootAt(size);
  } catch {
    // Tiles that are to be mended say nothing. Both are signed by one key, and what is written is verified again.
    return;
  }
  if (!own.equals(root))
    throw new VaultError(
      'fork',
      `the copy contradicts this vault, which has another root for size ${size}. Nothing was written; keep both for examination`,
    );
};
