import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { formatVkey, isSigned, parseNote, parseVkey, type Vkey } from '#vault/checkpoint';
import type { Durable } from '#vault/durable';
import { VaultError } from '../errors.ts';

export type KeyFiles = { signer: string; next: string; vkey: string; lock: string; holder: string };

/** Files of the keys directory. */
export const keyFiles = (keys: string): KeyFiles => ({
  /** PKCS#8 PEM, 0600: its thief can sign another history under this origin, but not change the one that others hold. */
  signer: join(keys, 'signer.key'),
  /** The key that replaces it, while a rotation is under way. */
  next: join(keys, 'signer.next.key'),
  /** One line, 0644. */
  vkey: join(keys, 'vault.vkey'),
  lock: join(keys, 'lock'),
  /** Empty, 0600: locked by the keeper for as long as it lives, so that there is one. */
  holder: join(keys, 'keeper.lock'),
});

export type Signer = {
  vkey: Vkey;
  privateKey: KeyObject;
  /** It came from systemd and lies in no file that this process could replace. */
  sealed: boolean;
};

/**
 * The key that signs, as it was before a rotation that a crash may have left unfinished (see `settleRotation`).
 * @param unsealed the private key (PKCS#8 PEM), where it was handed over and does not lie in keys/
 * @throws VaultError `bad-key`
 */
export const loadSigner = (keys: string, unsealed?: Buffer): Signer => {
  const files = keyFiles(keys);
  try {
    const published = parseVkey(readFileSync(files.vkey, 'utf8'));
    const signer =
      unsealed === undefined
        ? readSigner(files.signer, published.name)
        : signerOf(unsealed, published.name, 'sealed');
    const next = existsSync(files.next) ? readSigner(files.next, published.name) : null;
    // With the last step of a rotation still to be done, the public key is the next one's already.
    if (![signer, next].some((one) => one?.vkey.keyId.equals(published.keyId)))
      throw new Error('the two do not belong together');
    return signer;
  } catch (error) {
    throw new VaultError(
      'bad-key',
      `cannot use ${unsealed === undefined ? files.signer : 'the unsealed signing key'} with ${files.vkey}: ${messageOf(error)}. Restore both from one source`,
      { cause: error },
    );
  }
};

const readSigner = (path: string, name: string): Signer => signerOf(readFileSync(path), name, 'in keys/');

const signerOf = (pem: Buffer, name: string, where: 'in keys/' | 'sealed'): Signer => {
  const privateKey = createPrivateKey(pem);
  const vkey = parseVkey(formatVkey(name, createPublicKey(privateKey)));
  return { vkey, privateKey, sealed: where === 'sealed' };
};

/** The text of a signer's public key. */
export const vkeyText = ({ vkey }: Signer): string => formatVkey(vkey.name, vkey.publicKey);

/**
 * Makes the key that is to replace `signer` and stores it beside. It signs nothing before the commit that names it.
 * @throws VaultError `bad-key` where the key is sealed
 */
export const prepareNextSigner = async (keys: string, signer: Signer, durable: Durable): Promise<Signer> => {
  if (signer.sealed)
    throw new VaultError(
      'bad-key',
      'the signing key is sealed with systemd-creds, and a new one could not be sealed from here. ' +
        'Unseal it into keys/signer.key, rotate, and seal the new one (docs/formats/keys.md)',
    );
  const { privateKey } = generateKeyPairSync('ed25519');
  const { next } = keyFiles(keys);
  await durable.write(next, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600);
  return readSigner(next, signer.vkey.name);
};

/**
 * Ends a rotation, after its commit or at the next start: the next key takes over where the signer's newest note bears
 * its signature too, and is thrown away where it does not. Doing it twice changes nothing.
 * @param note the checkpoint that was signed last
 * @returns who signs from now on
 */
export const settleRotation = async (
  keys: string,
  signer: Signer,
  note: Buffer,
  durable: Durable,
): Promise<Signer> => {
  const files = keyFiles(keys);
  if (!existsSync(files.next)) return signer;
  const next = readSigner(files.next, signer.vkey.name);
  const { text, signatures } = parseNote(note);
  if (!signatures.some((signature) => isSigned(text, signature, next.vkey))) {
    await durable.remove([files.next]);
    return signer;
  }
  // The public key first: from then on the old private key is not the one that belongs to it.
  await durable.write(files.vkey, Buffer.from(`${vkeyText(next)}\n`), 0o644);
  await durable.move(files.next, files.signer);
  return next;
};
