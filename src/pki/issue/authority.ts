import { randomBytes, X509Certificate as NodeCertificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatMicros } from '#base/rfc3339';
import { micros } from '#base/clock';
import { openDurable, type Durable } from '#vault/durable';
import type { Book } from '../book/index.ts';
import { PkiError } from '../errors.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { certifyAuthority, certifyServer, lifetimes, type Issuer } from './certificate.ts';
import { digestOf, importKey, newKey } from '../key.ts';
import { X509Certificate } from '../x509.ts';

/** Its key, its certificate, and the files of `pki/issued/`, which everybody may read. */
export type Authority = {
  issuer: Issuer;
  /** PEM */
  certificate: string;
  fingerprint: string;
  /** Certifies the receiver's key again where its certificate is old, or for other names. */
  freshenServer(): Promise<void>;
  /** Writes down which serial numbers are good no more. */
  writeRevoked(): Promise<void>;
};

export type AuthorityOptions = {
  /** The issuer's alone: key and book. */
  secret: string;
  /** What it gives out. */
  issued: string;
  book: Book;
  /** SPKI of the receiver's key. */
  serverKey: Buffer;
  /** By which senders know the receiver: host names and addresses. */
  serverNames: readonly string[];
  clock: Clock;
  log: OwnLog;
};

/**
 * Opens the authority, and makes it where there has never been one.
 * @throws PkiError `authority-lost`, `unusable-file`
 */
export const openAuthority = async (options: AuthorityOptions): Promise<Authority> => {
  const { secret, issued, book, clock, log } = options;
  const keyFile = join(secret, 'authority.key');
  const secrets = openDurable({ scratch: secret });
  const given = openDurable({ scratch: issued });
  const nowMs = (): number => Math.floor(clock.now() / 1000);

  const keys = await importKey(await keyText(keyFile, book, secrets));
  if (book.register.authority === null) {
    const name = `authority of ${hostname()} ${randomBytes(4).toString('hex')}`.slice(0, 64);
    const { certificate, expires } = await certifyAuthority(keys, name, nowMs());
    await book.append({
      kind: 'authority-created',
      certificate,
      fingerprint: fingerprintOf(certificate),
      expires: rfc3339(expires),
    });
    log('info', `made an authority, ${name}, which is good until ${rfc3339(expires)}`);
  }
  const { authority } = book.register;
  if (authority === null) throw new PkiError('unusable-file', 'the book has no authority');
  const issuer: Issuer = { certificate: new X509Certificate(authority.certificate), key: keys.privateKey };
  if (digestOf(keys.spki) !== digestOf(Buffer.from(issuer.certificate.publicKey.rawData)))
    throw new PkiError(
      'authority-lost',
      `${keyFile} is not the key of the authority that the book in ${secret} names. Restore it`,
    );
  const { certificate, fingerprint } = authority;

  const place = async (file: string, text: string): Promise<void> => {
    const path = join(issued, file);
    if ((await readFile(path, 'utf8').catch(() => null)) === text) return;
    await given.write(path, Buffer.from(text), 0o644);
  };

  const isFresh = (): boolean => {
    const { server } = book.register;
    if (server === null || server.names.join(' ') !== options.serverNames.join(' ')) return false;
    const shown = new NodeCertificate(server.certificate);
    const left = Date.parse(shown.validTo) - nowMs();
    return (
      Date.parse(shown.validFrom) <= nowMs() &&
      left > lifetimes.server / 3 &&
      shown.publicKey.export({ type: 'spki', format: 'der' }).equals(options.serverKey)
    );
  };

  const freshenServer = async (): Promise<void> => {
    if (!isFresh()) {
      const made = await certifyServer(issuer, options.serverKey, options.serverNames, nowMs());
      await book.append({
        kind: 'server-certificate-issued',
        names: [...options.serverNames],
        serial: made.serial,
        expires: rfc3339(made.expires),
        certificate: made.certificate,
      });
    }
    const { server } = book.register;
    // With the authority's, so that whoever enrols sees it, and can compare its fingerprint.
    if (server !== null) await place('server.crt', `${server.certificate}${certificate}`);
  };

  /** Those that are over need not be named. */
  const writeRevoked = async (): Promise<void> => {
    const serials = [...book.register.certificates.values()]
      .filter(({ revoked, expires }) => revoked !== null && Date.parse(expires) > nowMs())
      .map(({ serial }) => `${serial}\n`);
    await place('revoked', serials.join(''));
  };

  await place('authority.crt', certificate);
  await writeRevoked();
  await freshenServer();
  if (issuer.certificate.notAfter.getTime() - nowMs() < 365 * 86_400_000)
    log('warning', `the authority ends ${authority.expires}: make a new one before (docs/hosts.md)`);
  return { issuer, certificate, fingerprint, freshenServer, writeRevoked };
};

const keyText = async (path: string, book: Book, durable: Durable): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      throw new PkiError('unusable-file', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (book.register.authority !== null)
    throw new PkiError(
      'authority-lost',
      `${path} is gone, but the book beside it says that there is an authority, and that hosts hold certificates of it. ` +
        'Restore it from a backup; or, to begin anew and enrol every host again, move the whole directory away',
    );
  const key = newKey();
  await durable.write(path, Buffer.from(key), 0o600);
  return key;
};

export const rfc3339 = (date: Date): string => formatMicros(micros(date.getTime() * 1000));
