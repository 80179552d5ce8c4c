import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { parseCheckpoint, parseNote, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { openTiles } from '#vault/tiles';
import type { Durable } from '#vault/durable';
import { VaultError } from '../errors.ts';

/**
 * A checkpoint of this log, as a witness handed it in, that our log does not contain. It outlives the keeper. Who vouches
 * for it was judged when it came; since only the keeper writes in keys/, from then on it counts as it lies there, also
 * for a keeper that knows neither the witness nor the log key on it.
 */
export const contradictionFile = (keys: string): string => join(keys, 'contradiction');

/** Whether the log up to `checkpoint` has this root at this size. @throws VaultError `corrupt` */
export const contains = (
  vault: string,
  checkpoint: Checkpoint,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
): boolean => size <= checkpoint.size && openTiles(vault, checkpoint).rootAt(size).equals(root);

/**
 * Keeps the evidence, and says what it shows. From now on this keeper signs nothing, and neither does the next one.
 * @returns the error to end with
 */
export const convict = async (
  keys: string,
  ours: Checkpoint,
  theirs: Checkpoint,
  keysDurable: Durable,
): Promise<VaultError> => {
  const file = contradictionFile(keys);
  await keysDurable.write(file, theirs.note, 0o644);
  return contradicted(file, ours, theirs);
};

const contradicted = (file: string, ours: Checkpoint, theirs: Checkpoint): VaultError =>
  new VaultError(
    'contradicted',
    `somebody remembers a checkpoint of size ${theirs.size} of this log that it does not contain ` +
      `(${theirs.size > ours.size ? `it ends at ${ours.size}: the whole state was put back to an older one` : 'it has another root there: two histories were signed'}), ` +
      `signed by ${signers(theirs)}. ` +
      `Nothing more is signed; the note is kept in ${file}. Restore the newer state and start again; docs/formats/witness.md, "Where the newer state is lost", says how to go on where there is none`,
  );

/** As the note names them, each with its key id: the log's key may be one that this state does not know. */
const signers = ({ note }: Checkpoint): string =>
  parseNote(note)
    .signatures.map(({ name, keyId }) => `${name} (key ${keyId.toString('hex')})`)
    .join(', ');

/**
 * Refuses to go on where an earlier keeper was convicted, until the log contains what its witness remembers: then the
 * newer state was restored, and the evidence has done its work.
 * @throws VaultError `contradicted`
 */
export const assertUncontradicted = async (
  { vault, keys, vkey, keysDurable }: { vault: string; keys: string; vkey: Vkey; keysDurable: Durable },
  ours: Checkpoint,
): Promise<void> => {
  const file = contradictionFile(keys);
  if (!existsSync(file)) return;
  let theirs: Checkpoint;
  try {
    theirs = parseCheckpoint(readFileSync(file));
    if (theirs.origin !== vkey.name) throw new Error(`it is of ${theirs.origin}`);
  } catch (error) {
    throw new VaultError(
      'contradicted',
      `${file} is there, but cannot be read as a checkpoint of this log (${messageOf(error)}): find out how it came there before anything is signed`,
      { cause: error },
    );
  }
  if (!contains(vault, ours, theirs)) throw contradicted(file, ours, theirs);
  await keysDurable.remove([file]);
};
