import { constants } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { messageOf, systemCode } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { TlsFiles } from '#wire/listen';
import { ReceiveError } from './errors.ts';

/** What a TLS listener shows, and which certificates are good no more. Follows its files. */
export type TlsIdentity = {
  readonly context: SecureContextOptions;
  /** Called with the new context after the files have changed. */
  onChange(changed: (context: SecureContextOptions) => void): void;
  isRevoked(certificate: PeerCertificate): boolean;
  stop(): void;
};

const lookEveryMs = 2000;

/**
 * TLS 1.2 and 1.3. A change of the files is seen within two seconds; files that cannot be used then are reported, and
 * what was in force stays in force.
 * @throws ReceiveError `tls-files`
 */
export const openTlsIdentity = (files: TlsFiles, log: OwnLog): TlsIdentity => {
  let loaded = load(files);
  let seen = stampOf(files);
  const listeners: ((context: SecureContextOptions) => void)[] = [];
  const timer = setInterval(() => {
    const now = stampOf(files);
    if (now === seen) return;
    seen = now;
    try {
      const before = loaded.revoked;
      loaded = load(files);
      if (before.size > 0 && loaded.revoked.size === 0) {
        loaded = { ...loaded, revoked: before };
        log('error', `${files.revoked} is gone, or empty: what was revoked stays so until this process ends`);
      }
      for (const changed of listeners) changed(loaded.context);
      log('info', `the TLS certificate and the list of revoked ones were read again`);
    } catch (error) {
      log('error', `${messageOf(error)}. What was read before stays in force`);
    }
  }, lookEveryMs);
  timer.unref();
  return {
    get context() {
      return loaded.context;
    },
    onChange: (changed) => void listeners.push(changed),
    isRevoked: ({ serialNumber }) => loaded.revoked.has(canonicalSerial(serialNumber)),
    stop: () => clearInterval(timer),
  };
};

const load = (files: TlsFiles): { context: SecureContextOptions; revoked: ReadonlySet<string> } => {
  try {
    const context: SecureContextOptions = {
      key: readFileSync(files.key),
      cert: readFileSync(files.certificate),
      ca: readFileSync(files.authority),
      minVersion: 'TLSv1.2',
      // A client of TLS 1.2 could have it begin anew without end, at a signature each time; Node complains, and goes on.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    };
    // Throws where the parts do not fit together.
    createSecureContext(context);
    return { context, revoked: readRevoked(files.revoked) };
  } catch (cause) {
    throw new ReceiveError(
      'tls-files',
      `the files for TLS (${files.certificate}, ${files.key}, ${files.authority}) cannot be used: ${messageOf(cause)}`,
      { cause },
    );
  }
};

const readRevoked = (path: string): ReadonlySet<string> => {
  try {
    return new Set(readFileSync(path, 'utf8').split('\n').map(canonicalSerial).filter(Boolean));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return new Set();
    throw error;
  }
};

/** As OpenSSL prints them: upper case, leading zeros left out. */
const canonicalSerial = (serial: string | undefined): string =>
  (serial ?? '').trim().replace(/^0+/, '').toUpperCase();

/** Changes when any of the files is written or replaced. */
const stampOf = (files: TlsFiles): string =>
  [files.certificate, files.key, files.authority, files.revoked]
    .map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      return found === undefined ? '-' : `${found.ino} ${found.size} ${found.mtimeNs}`;
    })
    .join(' ');

/** The name by which a certificate's holder is known here: the first DNS name, else the common name; at most 255 bytes. */
export const certificateName = (certificate: PeerCertificate): string => {
  const dns = /(?:^|, )DNS:([^,]+)/.exec(certificate.subjectaltname ?? '')?.[1];
  const common: unknown = certificate.subject?.CN;
  const name = dns ?? (Array.isArray(common) ? common[0] : common);
  return typeof name === 'string' ? Buffer.from(name).subarray(0, 255).toString() : '';
};
