import { importKey, signing } from '../key.ts';
import { Pkcs10CertificateRequestGenerator } from '../x509.ts';

/** Asks for a certificate of this name for this key. @param key PEM, PKCS #8, P-256 @returns PKCS #10, DER */
export const makeSigningRequest = async (key: string, name: string): Promise<Buffer> => {
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }],
    keys: await importKey(key),
    signingAlgorithm: signing,
  });
  return Buffer.from(request.rawData);
};
