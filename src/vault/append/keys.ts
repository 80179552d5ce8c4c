import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { formatVkey, parseVkey, type Vkey } from '#vault/checkpoint';
import { VaultError } from '../errors.ts';

/** Files of the keys directory. */
export const keyFiles = (keys: string): { signer: string; vkey: string; lock: string; holder: string } => ({
  /** PKCS#8 PEM, 0600: its thief can sign another history under this origin, but not change the one that others hold. */
  signer: join(keys, 'signer.key'),
  /** One line, 0644. */
  vkey: join(keys, 'vault.vkey'),
  lock: join(keys, 'lock'),
  /** Empty, 0600: locked by the keeper for as long as it lives, so that there is one. */
  holder: join(keys, 'keeper.lock'),
});

export type Signer = { vkey: Vkey; privateKey: KeyObject };

/** @throws VaultError `bad-key` */
export const loadSigner = (keys: string): Signer => {
  const files = keyFiles(keys);
  try {
    const vkey = parseVkey(readFileSync(files.vkey, 'utf8'));
    const privateKey = createPrivateKey(readFileSync(files.signer));
    if (formatVkey(vkey.name, createPublicKey(privateKey)) !== readFileSync(files.vkey, 'utf8').trim()) {
      throw new Error('the two do not belong together');
    }
    return { vkey, privateKey };
  } catch (error) {
    throw new VaultError(
      'bad-key',
      `cannot use ${files.signer} with ${files.vkey}: ${messageOf(error)}. Restore both from one source`,
      {
        cause: error,
      },
    );
  }
};
