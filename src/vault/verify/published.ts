import { join } from 'node:path';
import { maxLock, maxNote, parseCheckpoint, parseLock, type Checkpoint } from '#vault/checkpoint';
import { readBounded } from './files.ts';
import type { SignerMemory } from './freshness.ts';
import { isPending } from './pending.ts';
import { messageOf, type Findings } from './report.ts';

type Opener = (note: Buffer) => Checkpoint;

/** The published checkpoint, its signature checked, or why there is none. */
export const readPublished = (vault: string, open: Opener): Checkpoint | string => {
  try {
    const bytes = readBounded(join(vault, 'checkpoint'), maxNote);
    return bytes === null ? 'missing' : open(bytes);
  } catch (error) {
    return messageOf(error);
  }
};

/** What the signer remembers, and the entries whose files it still has to remove. */
type Memory = { signed: Checkpoint; removing: ReadonlySet<number> };

/** Read before the published checkpoint, so that it is never ahead of a healthy keeper's. */
const readMemory = (path: string, open: Opener): Memory | string => {
  try {
    const bytes = readBounded(path, maxLock);
    if (bytes === null) return 'missing';
    const { intake, note } = parseLock(bytes);
    const duties = intake.matchAll(/^removing ([0-9]{1,15})$/gm);
    return { signed: open(note), removing: new Set([...duties].map(([, index]) => Number(index))) };
  } catch (error) {
    return messageOf(error);
  }
};

/** Whether the signer remembers that it still has to remove what this entry takes away. */
export const isRemoving = (lock: string | undefined, open: Opener, index: number): boolean => {
  const memory = lock === undefined ? 'none' : readMemory(lock, open);
  return typeof memory !== 'string' && memory.removing.has(index);
};

export type FoundPublished = {
  /** `null` for one that cannot be believed. */
  published: Checkpoint | null;
  signed: Checkpoint | null;
  removing: ReadonlySet<number>;
  memory: SignerMemory;
};

/** The published checkpoint, held against the signer's memory where that was given. */
export const findPublished = (
  vault: string,
  open: Opener,
  lock: string | undefined,
  findings: Findings,
): FoundPublished => {
  let memory = lock === undefined ? null : readMemory(lock, open);
  let known = memory === null || typeof memory === 'string' ? null : memory;
  let published = readPublished(vault, open);
  let waits = false;
  if (known !== null && isCheckpoint(published) && published.size < known.signed.size) {
    waits = isPending(vault, published, known.signed);
    // Signed and no longer staged: it has been published, if not before the first look, then before the second.
    if (!waits) published = readPublished(vault, open);
  }
  if (lock !== undefined && known !== null && isCheckpoint(published) && published.size > known.signed.size) {
    // Signed before it is published: a memory that was read after it is not behind it.
    memory = readMemory(lock, open);
    known = typeof memory === 'string' ? null : memory;
  }
  if (!isCheckpoint(published))
    findings.add({ file: 'checkpoint', what: published === 'missing' ? 'missing' : `changed: ${published}` });
  if (typeof memory === 'string' && lock !== undefined && isCheckpoint(published))
    reportUnknownSigner(lock, published, findings);
  if (typeof memory === 'string')
    findings.add({ file: 'lock', what: memory === 'missing' ? 'missing' : `changed: ${memory}` });
  const found = {
    published: isCheckpoint(published) ? published : null,
    signed: known?.signed ?? null,
    removing: known?.removing ?? new Set<number>(),
  };
  return { ...found, memory: compare(found.published, found.signed, waits, findings) };
};

/** A lock record by a key that the log does not name may be of a later state than this one. */
const reportUnknownSigner = (lock: string, published: Checkpoint, findings: Findings): void => {
  try {
    const { size } = parseCheckpoint(parseLock(readBounded(lock, maxLock) ?? Buffer.alloc(0)).note);
    if (size > published.size)
      findings.add({
        file: 'checkpoint',
        what: `rolled back, or the lock record is of another log: it ends at ${published.size}, and the lock record has size ${size}, signed by a key that this log does not name`,
      });
  } catch {
    // What is wrong with it has been said.
  }
};

const isCheckpoint = (value: Checkpoint | string): value is Checkpoint => typeof value !== 'string';

const compare = (
  published: Checkpoint | null,
  signed: Checkpoint | null,
  waits: boolean,
  findings: Findings,
): SignerMemory => {
  if (published === null || signed === null) return { says: 'nothing', size: signed?.size ?? null };
  const { size } = signed;
  if (published.size === size && !published.root.equals(signed.root)) {
    findings.add({ file: 'checkpoint', what: `forked: the signer remembers another root for size ${size}` });
    return { says: 'another root', size };
  }
  if (published.size < size) {
    if (waits) return { says: 'one more', size };
    findings.add({
      file: 'checkpoint',
      what: `rolled back: it ends at ${published.size}, the signer remembers ${size}`,
    });
    return { says: 'more', size };
  }
  if (published.size > size) {
    findings.add({
      file: 'lock',
      what: `rolled back: the signer remembers size ${size}, and ${published.size} is published`,
    });
    return { says: 'less', size };
  }
  return { says: 'the same', size };
};
