import { createPublicKey, type KeyObject } from 'node:crypto';
import { Pkcs10CertificateRequest } from '../x509.ts';

/** What a host wants certified: its public key, and the name it gives itself. */
export type SigningRequest = { spki: Buffer; commonName: string | null };

const curves = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * Reads a PKCS #10 request (RFC 2986). It comes from a stranger: of all it says, its key, its common name and its
 * signature count; no extension that it asks for is granted.
 * @param der
 * @returns what is wrong with it, in words, for anything that is not taken
 */
export const readSigningRequest = async (der: Uint8Array): Promise<SigningRequest | string> => {
  try {
    const request = new Pkcs10CertificateRequest(Uint8Array.from(der));
    const spki = Buffer.from(request.publicKey.rawData);
    const weak = weakness(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
    if (weak !== null) return weak;
    if (!(await request.verify())) return 'it is not signed by its own key';
    return { spki, commonName: request.subjectName.getField('CN')[0] ?? null };
  } catch {
    return 'it is no certificate signing request (PKCS #10), or its key is of a kind that is not taken';
  }
};

const weakness = ({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | null => {
  if (type === 'ec')
    return curves.includes(details?.namedCurve ?? '') ? null : `a key on ${details?.namedCurve} is not taken`;
  const bits = details?.modulusLength ?? 0;
  if (type === 'rsa') return bits >= 2048 && bits <= 8192 ? null : `an RSA key of ${bits} bits is not taken`;
  return `a key of type ${type} is not taken: P-256, P-384, P-521 and RSA are`;
};
