import { messageOf } from '#base/errors';
import { formatWitnessVkey, parseWitnessVkey, type WitnessVkey } from '#vault/checkpoint';

/** A witness as the operator names it. */
export type Witness = {
  /** Its verification key: C2SP signed-note, signature type 0x04. */
  vkey: string;
  name: string;
  /** SPKI, base64. */
  publicKey: string;
  /** Where it takes checkpoints (tlog-witness submission prefix); `null` for one that fetches them itself. */
  url: string | null;
};

/**
 * `VKEY` or `VKEY=URL`. A key of 33 bytes has no `=` in its base64, so the first one ends it.
 * @returns what is wrong with it, in words, for anything else
 */
export const parseWitness = (text: string): Witness | string => {
  const [, given = text, url] = /^(\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44})(?:=(.*))?$/u.exec(text) ?? [];
  let key: WitnessVkey;
  try {
    key = parseWitnessVkey(given);
  } catch (error) {
    return `is not VKEY or VKEY=URL: ${messageOf(error)}`;
  }
  const publicKey = key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const { name } = key;
  const vkey = formatWitnessVkey(name, key.publicKey);
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
