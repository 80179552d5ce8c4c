/** The DER of a signing request in PEM (RFC 7468 §7); `null` for what is none. */
export const requestDer = (pem: string): Buffer | null => {
  const [, base64] =
    /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/.exec(
      pem,
    ) ?? [];
  return base64 === undefined ? null : Buffer.from(base64, 'base64');
};
