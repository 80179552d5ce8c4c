import { createPrivateKey, createPublicKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import { PkiError } from '../errors.ts';

/**
 * A one-time token, as its holder has it. Its secret is the seed of a signing key: the issuer keeps the public key
 * alone, and the secret is never sent to anybody. So neither who reads the issuer's book, nor who is on the way, nor the
 * receiver can use a token, and there is nothing to compare.
 */
export type Token = {
  /** 16 hexadecimal digits; public. */
  id: string;
  /** Ed25519 */
  key: KeyObject;
};

const secretBytes = 24;
const form = /^holdfast-([0-9a-f]{16})-([A-Za-z0-9_-]{32})$/;
/** PKCS #8 of an Ed25519 key up to its seed (RFC 8410 §7). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @returns its text, for its holder, and the public key (SPKI, base64), for the issuer */
export const newToken = (): { id: string; text: string; publicKey: string } => {
  const id = randomBytes(8).toString('hex');
  const text = `holdfast-${id}-${randomBytes(secretBytes).toString('base64url')}`;
  const { key } = parseToken(text);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  return { id, text, publicKey };
};

/** @throws PkiError `bad-token`, which does not repeat it */
export const parseToken = (text: string): Token => {
  const [, id, secret] = form.exec(text.trim()) ?? [];
  if (id === undefined || secret === undefined)
    throw new PkiError(
      'bad-token',
      "this is no token: one looks like holdfast-0123456789abcdef-…, as 'holdfast hosts token' printed it",
    );
  const seed = hkdfSync('sha256', Buffer.from(secret, 'base64url'), id, 'holdfast enrolment token v1', 32);
  return {
    id,
    key: createPrivateKey({
      key: Buffer.concat([pkcs8Head, Buffer.from(seed)]),
      format: 'der',
      type: 'pkcs8',
    }),
  };
};

/** What the token's key signs. @param csr DER */
export const enrolStatement = (csr: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from('holdfast enrol v1\n'), csr]);

/** What the key of the certificate signs that is to be renewed. @param csr DER */
export const renewStatement = (csr: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from('holdfast renew v1\n'), csr]);
