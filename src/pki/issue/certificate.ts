import { randomBytes, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
  type JsonGeneralName,
} from '../x509.ts';
import { signing, type KeyPair } from '../key.ts';

/** Milliseconds. */
export const lifetimes = {
  authority: 10 * 365 * 86_400_000,
  host: 90 * 86_400_000,
  server: 90 * 86_400_000,
} as const;

/**
 * How long before now a certificate begins, in milliseconds: the clock of whoever looks at it may be behind. A clock
 * that is ahead is no matter until the certificate is near its end, and by then it is renewed.
 */
export const skew = 3_600_000;

export type Issuer = { certificate: X509Certificate; key: webcrypto.CryptoKey };

export type Issued = { certificate: string; serial: string; issued: Date; expires: Date };

/** The authority's own. May certify hosts and nothing that certifies others (RFC 5280 §4.2.1.9, path length 0). */
export const certifyAuthority = async (keys: KeyPair, name: string, now: number): Promise<Issued> => {
  const { serial, notBefore, notAfter } = validity(now, lifetimes.authority);
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial,
    name: [{ O: ['Holdfast'] }, { CN: [name] }],
    notBefore,
    notAfter,
    signingAlgorithm: signing,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return issuedOf(made);
};

/** A certificate of a host that sends: good to show who it is as a client, and for nothing else. */
export const certifyHost = (issuer: Issuer, spki: Buffer, name: string, now: number): Promise<Issued> =>
  certify(issuer, spki, {
    name,
    alternatives: [dns(name)],
    usage: ExtendedKeyUsage.clientAuth,
    now,
    lifetime: lifetimes.host,
  });

/** The receiver's own: good as a server's, and for nothing else. @param names host names and addresses; at least one */
export const certifyServer = (
  issuer: Issuer,
  spki: Buffer,
  names: readonly string[],
  now: number,
): Promise<Issued> =>
  certify(issuer, spki, {
    name: names[0] ?? 'holdfast',
    alternatives: names.map((name) => (isIP(name) === 0 ? dns(name) : { type: 'ip', value: name })),
    usage: ExtendedKeyUsage.serverAuth,
    now,
    lifetime: lifetimes.server,
  });

const dns = (value: string): JsonGeneralName => ({ type: 'dns', value });

const certify = async (
  issuer: Issuer,
  spki: Buffer,
  given: {
    name: string;
    alternatives: JsonGeneralName[];
    usage: ExtendedKeyUsage;
    now: number;
    lifetime: number;
  },
): Promise<Issued> => {
  const { serial, notBefore, notAfter } = validity(given.now, given.lifetime);
  const publicKey = new PublicKey(spki);
  const made = await X509CertificateGenerator.create({
    serialNumber: serial,
    // A longer one has no place in a common name (RFC 5280, ub-common-name); the alternative name says it.
    subject: [{ CN: [given.name.slice(0, 64)] }],
    issuer: issuer.certificate.subjectName,
    notBefore,
    // Nothing outlives the authority.
    notAfter: new Date(Math.min(notAfter.getTime(), issuer.certificate.notAfter.getTime())),
    signingAlgorithm: signing,
    publicKey,
    signingKey: issuer.key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([given.usage], false),
      new SubjectAlternativeNameExtension(given.alternatives, false),
      await SubjectKeyIdentifierExtension.create(publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.certificate),
    ],
  });
  return issuedOf(made);
};

const validity = (now: number, lifetime: number): { serial: string; notBefore: Date; notAfter: Date } => {
  const bytes = randomBytes(16);
  // Positive, and of full length in every program that prints it.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  // Certificates count whole seconds.
  const second = Math.floor(now / 1000) * 1000;
  return {
    serial: bytes.toString('hex'),
    notBefore: new Date(second - skew),
    notAfter: new Date(second + lifetime),
  };
};

const issuedOf = (made: X509Certificate): Issued => ({
  certificate: `${made.toString('pem')}\n`,
  serial: made.serialNumber.toUpperCase(),
  issued: made.notBefore,
  expires: made.notAfter,
});
