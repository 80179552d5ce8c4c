import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TlsFiles } from '#wire/listen';
import { BenchError } from '../errors.ts';
import { messageOf } from '#base/errors';

/**
 * A key on P-256 and a certificate that it has signed itself, which every contender shows.
 * @throws BenchError `unavailable` where there is no openssl
 */
export const makeTlsFiles = (dir: string): TlsFiles => {
  const key = join(dir, 'server.key');
  const certificate = join(dir, 'server.crt');
  try {
    execFileSync(
      'openssl',
      [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
        '-out', certificate, '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
      ], // prettier-ignore
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
  } catch (cause) {
    throw new BenchError('unavailable', `openssl made no certificate: ${messageOf(cause)}`, { cause });
  }
  return { certificate, key, authority: certificate, revoked: join(dir, 'revoked') };
};
