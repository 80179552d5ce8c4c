import { sign, verify, type KeyObject } from 'node:crypto';
import { parseBase64, VaultFormatError } from '#vault/tree';
import type { Vkey } from './vkey.ts';

/** Bytes that a checkpoint may have, signatures included. */
export const maxNote = 4096;

const signatureLine = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u;

/** Signatures that a note may have: the log's own, and those of its witnesses. */
const maxSignatures = 64;

/** One signature line of a note. Nothing of it has been checked but its form. */
export type NoteSignature = {
  name: string;
  /** 4 bytes */
  keyId: Buffer;
  /** What follows the key id. */
  signature: Buffer;
};

export type Note = {
  /** What is signed: up to and with the LF before the blank line. */
  text: string;
  signatures: readonly NoteSignature[];
};

export type NoteSigner = { name: string; keyId: Buffer; privateKey: KeyObject };

/** `— <name> <base64(key id ‖ signature)> LF` */
export const formatSignature = ({ name, keyId, signature }: NoteSignature): string =>
  `— ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;

/**
 * A C2SP signed note: `text`, a blank line, a signature line of each signer. Ed25519 gives the same signature each
 * time, so signing again after a crash gives the same bytes.
 */
export const signNote = (text: string, ...signers: readonly NoteSigner[]): Buffer => {
  const lines = signers.map(({ name, keyId, privateKey }) =>
    formatSignature({ name, keyId, signature: sign(null, Buffer.from(text), privateKey) }),
  );
  return Buffer.from(`${text}\n${lines.join('')}`);
};

/**
 * The text of a note and who claims to have signed it, with no signature checked: whoever wrote the bytes chose all of
 * it. Stricter than signed-note asks for: base64 must be canonical, and no key may sign twice.
 * @throws VaultFormatError
 */
export const parseNote = (bytes: Buffer): Note => {
  if (bytes.length > maxNote)
    throw new VaultFormatError(`note of ${bytes.length} bytes: longer than ${maxNote}`);
  const whole = bytes.toString('utf8');
  if (!Buffer.from(whole).equals(bytes)) throw new VaultFormatError('note is not UTF-8');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(whole)) throw new VaultFormatError('note has control characters');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw new VaultFormatError('note has no blank line before its signatures');
  const lines = whole.slice(split + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0 || lines.length > maxSignatures)
    throw new VaultFormatError('note has no signature lines, or too many, or does not end with one');
  const signatures = lines.map(parseSignature);
  const keys = new Set(signatures.map(({ name, keyId }) => `${name} ${keyId.toString('hex')}`));
  if (keys.size !== signatures.length) throw new VaultFormatError('note has two signatures by one key');
  return { text: whole.slice(0, split + 1), signatures };
};

const parseSignature = (line: string): NoteSignature => {
  const match = signatureLine.exec(line);
  if (match === null) throw new VaultFormatError('a line after the blank line is no signature');
  const signed = parseBase64(match[2] ?? '');
  if (signed === null || signed.length < 5)
    throw new VaultFormatError('signature is not canonical base64 of a key id and more');
  return { name: match[1] ?? '', keyId: signed.subarray(0, 4), signature: signed.subarray(4) };
};

/** Whether a signature line claims to be by this key. */
export const isBy = ({ name, keyId }: NoteSignature, vkey: Vkey): boolean =>
  name === vkey.name && keyId.equals(vkey.keyId);

/** Whether the signature line is a valid Ed25519 signature of `text` by `vkey`. */
export const isSigned = (text: string, signature: NoteSignature, vkey: Vkey): boolean =>
  isBy(signature, vkey) &&
  signature.signature.length === 64 &&
  verify(null, Buffer.from(text), vkey.publicKey, signature.signature);
