import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseBase64, sha256, VaultFormatError } from '#vault/tree';

/** A C2SP signed-note verification key: who signs, and the key by which to check it. */
export type Vkey = {
  name: string;
  /** `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)[:4]` */
  keyId: Buffer;
  publicKey: KeyObject;
};

/** Signed-note signature type of Ed25519. */
const ed25519Type = 0x01;

/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410 §4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

const keyIdOf = (name: string, publicBytes: Buffer): Buffer =>
  sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ed25519Type]), publicBytes])).subarray(0, 4);

/** A key's name: not empty, no white space, no plus (signed-note). */
export const isKeyName = (name: string): boolean =>
  /^[^\s+\u0000-\u001f]+$/u.test(name) && name.length <= 255;

/** `<name>+<key id, 8 hex>+<base64(0x01 ‖ public key)>` */
export const formatVkey = (name: string, publicKey: KeyObject): string => {
  const bytes = publicBytesOf(publicKey);
  const encoded = Buffer.concat([Buffer.from([ed25519Type]), bytes]).toString('base64');
  return `${name}+${keyIdOf(name, bytes).toString('hex')}+${encoded}`;
};

/** @throws VaultFormatError */
export const parseVkey = (text: string): Vkey => {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  const name = match?.[1] ?? '';
  const bytes = parseBase64(match?.[3] ?? '');
  if (
    match === null ||
    !isKeyName(name) ||
    bytes === null ||
    bytes.length !== 33 ||
    bytes[0] !== ed25519Type
  ) {
    throw new VaultFormatError('not an Ed25519 verification key (name+id+key, as in keys/vault.vkey)');
  }
  const publicBytes = bytes.subarray(1);
  const keyId = keyIdOf(name, publicBytes);
  if (keyId.toString('hex') !== match[2])
    throw new VaultFormatError('the id of the verification key does not match it');
  const publicKey = createPublicKey({
    key: Buffer.concat([spkiPrefix, publicBytes]),
    format: 'der',
    type: 'spki',
  });
  return { name, keyId, publicKey };
};

const publicBytesOf = (publicKey: KeyObject): Buffer => {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  if (spki.length !== 44 || !spki.subarray(0, 12).equals(spkiPrefix))
    throw new VaultFormatError('not an Ed25519 key');
  return spki.subarray(12);
};
