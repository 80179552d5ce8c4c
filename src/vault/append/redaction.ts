import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { isIntakeName } from '#vault/intake';
import { holdOn, holdsOf, type VaultReader } from '#vault/read';
import { decodeRecord } from '#vault/record';
import type { KeeperRequest } from '#vault/request';
import { encodeRedacted, segmentPath, sha256, type RedactEntry } from '#vault/tree';
import { VaultError } from '../errors.ts';
import type { NewEntry } from './new-entry.ts';
import { heldBy } from './retention.ts';

const compress = promisify(zstdCompress);

/**
 * Makes the next revision of the target's segment: without the line, its salt and the batch key.
 * @throws VaultError `not-found`, `expired`, `redacted`, `held`, `refused`, `corrupt` (nothing is made of a batch that
 *   is not what its entry says)
 */
export const prepareRedaction = async (
  vault: VaultReader,
  { entry, line, reason, by }: Extract<KeeperRequest, { kind: 'redact' }>,
): Promise<NewEntry> => {
  if (entry >= (vault.checkpoint()?.size ?? 0))
    throw new VaultError('not-found', `the log has no entry ${entry} yet`);
  const segment = vault.batch(entry, 'root');
  const hold = holdOn(holdsOf(vault.amendments().all()), entry);
  if (hold !== null) throw heldBy(hold, entry, 'redact');
  if (line === 0)
    throw new VaultError(
      'refused',
      `line 0 of entry ${entry} is its manifest, which stays: it says what came from whom`,
    );
  if (line >= segment.lineCount)
    throw new VaultError(
      'not-found',
      `entry ${entry} has lines 1 to ${segment.lineCount - 1}, no line ${line}`,
    );
  if (segment.redacted.has(line))
    throw new VaultError('redacted', `line ${line} of entry ${entry} was taken out already`);
  const stored = await compress(encodeRedacted(segment, line), {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  return {
    kind: 'redact',
    entry: {
      target: { entry, line },
      segment: { sha256: sha256(stored), length: stored.length },
      reason,
      by,
    },
    stored,
  };
};

/** The revisions that a redaction replaced, relative to the vault. */
export const redactedFiles = (
  vault: VaultReader,
  { index, entry }: { index: number; entry: RedactEntry },
): string[] => {
  const target = entry.target.entry;
  const earlier = vault
    .amendments()
    .all()
    .filter((one) => one.index < index && one.entry.kind === 'redact' && one.entry.target.entry === target);
  return [segmentPath(target), ...earlier.map((one) => segmentPath(target, one.index))];
};

/**
 * Damaged intake files that the batch was taken from: they were set aside for a person to look at, and the keeper does
 * not change them.
 */
export const setAsideIntake = (vault: VaultReader, { target }: RedactEntry, intake: string): string[] =>
  intakeOf(vault, target.entry)
    .filter(isIntakeName)
    .map((name) => join(intake, 'damaged', name))
    .filter((path) => existsSync(path))
    .map((path) => `${path} may hold the line: it was set aside because it is damaged. Remove it yourself`);

/** The manifest names them; it is the keeper's own. */
const intakeOf = (vault: VaultReader, entry: number): string[] => {
  const { records } = vault.batch(entry);
  const manifest: unknown = JSON.parse(decodeRecord(records, 0).record.raw.toString());
  if (typeof manifest !== 'object' || manifest === null || !('intake' in manifest)) return [];
  const { intake } = manifest;
  return (Array.isArray(intake) ? intake : []).flatMap((range: unknown) =>
    typeof range === 'object' && range !== null && 'file' in range ? [String(range.file)] : [],
  );
};
