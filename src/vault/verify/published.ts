import { join } from 'node:path';
import { maxLock, maxNote, openCheckpoint, parseLock, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { readBounded } from './files.ts';
import { isPending } from './pending.ts';
import { messageOf, type Findings } from './report.ts';

/** The published checkpoint, its signature checked, or why there is none. */
export const readPublished = (vault: string, vkey: Vkey): Checkpoint | string => {
  try {
    const bytes = readBounded(join(vault, 'checkpoint'), maxNote);
    return bytes === null ? 'missing' : openCheckpoint(bytes, vkey);
  } catch (error) {
    return messageOf(error);
  }
};

/** What the signer remembers. Read before the published checkpoint, so that it is never ahead of a healthy keeper's. */
const readSigned = (path: string, vkey: Vkey): Checkpoint | string => {
  try {
    const bytes = readBounded(path, maxLock);
    return bytes === null ? 'missing' : openCheckpoint(parseLock(bytes).note, vkey);
  } catch (error) {
    return messageOf(error);
  }
};

/**
 * The published checkpoint, held against the signer's memory where that was given.
 * @returns `null` for a checkpoint that cannot be believed
 */
export const findPublished = (
  vault: string,
  vkey: Vkey,
  lock: string | undefined,
  findings: Findings,
): { published: Checkpoint | null; signed: Checkpoint | null; freshness: string } => {
  const signed = lock === undefined ? null : readSigned(lock, vkey);
  let published = readPublished(vault, vkey);
  let waits = false;
  if (isCheckpoint(signed) && isCheckpoint(published) && published.size < signed.size) {
    waits = isPending(vault, published, signed);
    // Signed and no longer staged: it has been published, if not before the first look, then before the second.
    if (!waits) published = readPublished(vault, vkey);
  }
  if (!isCheckpoint(published))
    findings.add({ file: 'checkpoint', what: published === 'missing' ? 'missing' : `changed: ${published}` });
  if (typeof signed === 'string')
    findings.add({ file: 'lock', what: signed === 'missing' ? 'missing' : `changed: ${signed}` });
  const found = {
    published: isCheckpoint(published) ? published : null,
    signed: isCheckpoint(signed) ? signed : null,
  };
  return { ...found, freshness: compare(found.published, found.signed, waits, findings) };
};

const isCheckpoint = (value: Checkpoint | string | null): value is Checkpoint =>
  value !== null && typeof value !== 'string';

const compare = (
  published: Checkpoint | null,
  signed: Checkpoint | null,
  waits: boolean,
  findings: Findings,
): string => {
  if (published === null) return 'unknown: there is no checkpoint to go by';
  if (signed === null) {
    return 'unknown: the signer’s memory (keys/lock) was not at hand; compare the size with one that was noted elsewhere';
  }
  if (published.size === signed.size && !published.root.equals(signed.root)) {
    findings.add({
      file: 'checkpoint',
      what: `forked: the signer remembers another root for size ${signed.size}`,
    });
    return 'contradicts the signer’s memory';
  }
  if (published.size < signed.size) {
    if (waits) return `current: size ${signed.size} is signed and waits to be published`;
    findings.add({
      file: 'checkpoint',
      what: `rolled back: it ends at ${published.size}, the signer remembers ${signed.size}`,
    });
    return `stale: the signer remembers size ${signed.size}`;
  }
  return 'current: it is what the signer remembers. A rollback of the whole state, keys included, would not show here';
};
