import { sign, verify, type KeyObject } from 'node:crypto';
import { parseBase64, VaultFormatError } from '#vault/tree';
import type { Vkey } from './vkey.ts';

/** Bytes that a checkpoint may have, signatures included. */
export const maxNote = 4096;

const signatureLine = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u;

/**
 * A C2SP signed note: `text`, a blank line, `— <name> <base64(key id ‖ signature)> LF`. Ed25519 gives the same
 * signature each time, so signing again after a crash gives the same bytes.
 */
export const signNote = (
  text: string,
  signer: { name: string; keyId: Buffer; privateKey: KeyObject },
): Buffer => {
  const signature = sign(null, Buffer.from(text), signer.privateKey);
  return Buffer.from(
    `${text}\n— ${signer.name} ${Buffer.concat([signer.keyId, signature]).toString('base64')}\n`,
  );
};

/**
 * The text of a note that carries exactly one signature, by `vkey`, in canonical base64. Stricter than signed-note
 * asks for, which ignores signatures by unknown keys: this is a vault's own checkpoint.
 * @throws VaultFormatError
 */
export const openNote = (bytes: Buffer, vkey: Vkey): string => {
  const { text, name, signed } = splitNote(bytes);
  if (name !== vkey.name || !signed.subarray(0, 4).equals(vkey.keyId)) {
    throw new VaultFormatError(`signed by another key than ${vkey.name}`);
  }
  if (!verify(null, Buffer.from(text), vkey.publicKey, signed.subarray(4))) {
    throw new VaultFormatError(`the signature of ${vkey.name} does not match`);
  }
  return text;
};

/** The text of a note whose signature was NOT checked: whoever wrote the file chose it. @throws VaultFormatError */
export const noteText = (bytes: Buffer): string => splitNote(bytes).text;

const splitNote = (bytes: Buffer): { text: string; name: string; signed: Buffer } => {
  if (bytes.length > maxNote)
    throw new VaultFormatError(`note of ${bytes.length} bytes: longer than ${maxNote}`);
  const whole = bytes.toString('utf8');
  if (!Buffer.from(whole).equals(bytes)) throw new VaultFormatError('note is not UTF-8');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(whole)) throw new VaultFormatError('note has control characters');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw new VaultFormatError('note has no blank line before its signatures');
  const text = whole.slice(0, split + 1);
  const lines = whole.slice(split + 2).split('\n');
  const match = signatureLine.exec(lines[0] ?? '');
  if (match === null || lines.length !== 2 || lines[1] !== '')
    throw new VaultFormatError('note has not exactly one signature line');
  const signed = parseBase64(match[2] ?? '');
  if (signed === null || signed.length !== 4 + 64)
    throw new VaultFormatError('signature is not canonical base64 of an Ed25519 one');
  return { text, name: match[1] ?? '', signed };
};
