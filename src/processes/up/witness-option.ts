import { createHash } from 'node:crypto';

/** A witness as the operator names it. */
export type Witness = {
  /** Its verification key: C2SP signed-note, signature type 0x04. */
  vkey: string;
  name: string;
  /** 32 bytes, base64. */
  publicKey: string;
  /** Where it takes checkpoints (tlog-witness submission prefix); `null` for one that fetches them itself. */
  url: string | null;
};

/** Signature type of a timestamped Ed25519 cosignature (C2SP tlog-cosignature). */
const cosignatureType = 0x04;

/**
 * `VKEY` or `VKEY=URL`. A key of 33 bytes has no `=` in its base64, so the first one ends it.
 * @returns what is wrong with it, in words, for anything else
 */
export const parseWitness = (text: string): Witness | string => {
  const match = /^(([^\s+\u0000-\u001f]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44}))(?:=(.*))?$/u.exec(text);
  if (match === null)
    return 'is not VKEY or VKEY=URL (a key is name+id+key, as "holdfast witness" prints it)';
  const [, vkey = '', name = '', id = '', encoded = '', url] = match;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded || bytes.length !== 33 || bytes[0] !== cosignatureType)
    return 'is not the key of a witness: its signature type is not 0x04 (Ed25519 cosignature)';
  const expected = createHash('sha256').update(`${name}\n`).update(bytes).digest('hex').slice(0, 8);
  if (id !== expected) return 'has an id that does not match the key: it was not copied whole';
  const publicKey = bytes.toString('base64', 1);
  if (url === undefined) return { vkey, name, publicKey, url: null };
  const parsed = URL.parse(url);
  if (parsed === null || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:'))
    return 'has no https:// or http:// address after its key';
  // What stands on a command line is no secret.
  if (parsed.username !== '' || parsed.password !== '') return 'has a user or password in its address';
  if (parsed.search !== '' || parsed.hash !== '')
    return 'has a query in its address, which is a prefix of others';
  return { vkey, name, publicKey, url: url.replace(/\/+$/, '') };
};

/** More than half. */
export const majority = (witnesses: number): number => Math.floor(witnesses / 2) + 1;
