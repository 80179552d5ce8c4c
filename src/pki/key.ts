import { createHash, createPublicKey, generateKeyPairSync, webcrypto, type KeyObject } from 'node:crypto';

/** ECDSA on P-256: what GnuTLS and OpenSSL of every Debian in use take. */
export const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** @returns PEM, PKCS #8 */
export const newKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

export type KeyPair = { privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey; spki: Buffer };

/** @param pem PKCS #8 of a P-256 key @throws for anything else */
export const importKey = async (pem: string): Promise<KeyPair> => {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  const spki = spkiOf(createPublicKey(pem));
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', der, signing, true, ['sign']),
    webcrypto.subtle.importKey('spki', Uint8Array.from(spki), signing, true, ['verify']),
  ]);
  return { privateKey, publicKey, spki };
};

export const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** SHA-256 of an SPKI, hexadecimal. */
export const digestOf = (spki: Uint8Array): string => createHash('sha256').update(spki).digest('hex');
