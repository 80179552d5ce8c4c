import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { micros } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import { formatMicros } from '#base/rfc3339';
import type { StateDirectory } from '#base/state';
import { openVault } from '#vault/read';
import type { CheckpointStatus } from '#wire/console';

/** The newest checkpoint of the vault, whether its signature holds, and when the keeper published it. */
export const readCheckpoint = async ({ vault, vkeyFile }: StateDirectory): Promise<CheckpointStatus> => {
  const vkey = await readVkey(vkeyFile);
  try {
    const checkpoint = openVault(vault).checkpoint();
    if (checkpoint === null) return { result: 'none' };
    const { origin, size, root } = checkpoint;
    const { mtimeMs } = await stat(join(vault, 'checkpoint'));
    return {
      result: 'found',
      origin,
      size,
      root: root.toString('base64'),
      time: formatMicros(micros(Math.round(mtimeMs * 1000))),
      signature: vkey === null ? 'not checked' : signatureOf(vault, vkey),
    };
  } catch (error) {
    return {
      result: 'could-not-look',
      what: vault,
      why: messageOf(error),
      remedy: 'run "holdfast vault verify"',
    };
  }
};

/** `null` where there is none yet, or none that this process may read. */
const readVkey = async (file: string): Promise<string | null> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return null;
  }
};

/**
 * The text was readable a moment ago, so what a reader with the key objects to is the signature, or the signer's name.
 * A key that is none throws: then nothing is known of the signature.
 */
const signatureOf = (vault: string, vkey: string): 'valid' | 'invalid' => {
  const reader = openVault(vault, { vkey });
  try {
    reader.checkpoint();
    return 'valid';
  } catch {
    return 'invalid';
  }
};
