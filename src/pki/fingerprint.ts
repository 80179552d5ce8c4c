import { X509Certificate } from 'node:crypto';

/** `sha256:` and the SHA-256 of a certificate's DER in lower case hexadecimal. @param certificate PEM (its first one) or DER */
export const fingerprintOf = (certificate: string | Buffer): string =>
  `sha256:${new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()}`;
