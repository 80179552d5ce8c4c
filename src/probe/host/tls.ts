import { isIP } from 'node:net';
import { connect, type PeerCertificate, type SecureVersion } from 'node:tls';
import { printable } from '#base/printable';
import type { TlsSeen } from './outcome.ts';

const versions: readonly SecureVersion[] = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1'];

export type TlsTarget = { host: string; address: string; port: number; timeoutMs: number };

/**
 * One handshake for each version; nothing is said after it. The certificate is looked at and not judged.
 * @param pace before each further connection
 * @returns `null` where it does not speak TLS
 */
export const lookAtTls = async (target: TlsTarget, pace: () => Promise<void>): Promise<TlsSeen | null> => {
  const agreed: string[] = [];
  let certificate: PeerCertificate | null = null;
  for (const version of versions) {
    await pace();
    const seen = await handshake(target, version);
    if (seen === null) continue;
    agreed.push(version);
    certificate ??= seen;
  }
  return agreed.length === 0 ? null : seenOf(agreed.toReversed(), certificate);
};

const handshake = async (
  { host, address, port, timeoutMs }: TlsTarget,
  version: SecureVersion,
): Promise<PeerCertificate | null> =>
  new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      // Old versions need ciphers and hashes that OpenSSL refuses by itself.
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const end = (result: PeerCertificate | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
    socket.on('secureConnect', () => end(socket.getPeerCertificate()));
  });

const seenOf = (agreed: string[], certificate: PeerCertificate | null): TlsSeen => {
  const expires = Date.parse(certificate?.valid_to ?? '');
  return {
    versions: agreed,
    subject: nameIn(certificate?.subject),
    names: namesIn(certificate?.subjectaltname ?? ''),
    issuer: nameIn(certificate?.issuer),
    expires: Number.isNaN(expires) ? null : new Date(expires).toISOString(),
  };
};

const mostNames = 20;

/** `DNS:a.example, IP Address:192.0.2.1` as the names alone. */
const namesIn = (text: string): string[] =>
  text
    .split(', ')
    .flatMap((part) => /^(?:DNS|IP Address):(.+)/.exec(part)?.[1] ?? [])
    .slice(0, mostNames)
    .map((name) => printable(name).slice(0, 100));

const nameIn = (name: { CN?: string | string[] } | undefined): string | null => {
  const [common] = [name?.CN ?? []].flat();
  return common === undefined ? null : printable(common).slice(0, 100);
};
