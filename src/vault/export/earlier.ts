import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { openCheckpoint, parseCheckpoint, parseVkey, type Checkpoint } from '#vault/checkpoint';
import { VaultError } from '#vault/read';
import { historyNotes, readIfThere } from './source.ts';

/**
 * Size of the earlier export in the target, which must be of this log's past; 0 where there is none.
 * @param to vault/ of the target
 * @throws VaultError `fork`, `rolled-back`, `corrupt`
 */
export const earlierSize = (vault: string, to: string, checkpoint: Checkpoint, vkey: string): number => {
  const bytes = readIfThere(join(to, 'checkpoint'));
  if (bytes === null) return 0;
  const earlier = parsed(to, bytes);
  if (earlier.origin !== checkpoint.origin)
    throw new VaultError('fork', `${to} holds another log (${earlier.origin}): choose another directory`);
  if (earlier.size > checkpoint.size)
    throw new VaultError(
      'rolled-back',
      `${to} has size ${earlier.size}, the vault only ${checkpoint.size}: ${signedText(bytes, vkey)}. ` +
        'Nothing was written; keep this copy',
    );
  const published = historyNotes(vault, earlier.size, earlier.size).at(-1);
  if (published?.note.equals(bytes) !== true)
    throw new VaultError(
      'fork',
      `${to} has a checkpoint of size ${earlier.size} that this vault never published: ${signedText(bytes, vkey)}. ` +
        'Nothing was written; keep both',
    );
  return earlier.size;
};

const parsed = (to: string, bytes: Buffer): Checkpoint => {
  try {
    return parseCheckpoint(bytes);
  } catch (error) {
    throw new VaultError(
      'corrupt',
      `${join(to, 'checkpoint')} is damaged, so nobody can tell whether that copy is newer than the vault (${messageOf(error)}). ` +
        'Nothing was written. Remove that file to have the rest of the copy mended, or choose another directory',
      { cause: error },
    );
  }
};

/** What a checkpoint that contradicts the vault is worth as evidence. */
const signedText = (note: Buffer, vkey: string): string => {
  try {
    openCheckpoint(note, parseVkey(vkey));
    return 'it is signed by the vault’s own key, so the vault was put back to an older state or signed two histories';
  } catch {
    return 'it is not signed by the vault’s present key';
  }
};
