import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { speaksTls, type TlsFiles } from '#wire/listen';
import { UpError } from './errors.ts';
import type { UpOptions } from './options.ts';
import { replaceFile, type Owner } from './run-file.ts';

/** What TLS listeners show, and by which they judge. */
export type Pki = {
  tls: TlsFiles;
  /** How the issuer is started; `null`: the certificates are the operator's own, and no authority is made here. */
  issuer: { serverKey: string; serverNames: readonly string[] } | null;
};

const mostNames = 100;

/** The operator's own files lie at the top of `pki/`. */
const ownFiles = (pki: string): TlsFiles => ({
  certificate: join(pki, 'server.crt'),
  key: join(pki, 'server.key'),
  authority: join(pki, 'authority.crt'),
  revoked: join(pki, 'revoked'),
});

/** Where the files are, whoever made them. */
export const tlsFilesOf = ({ pki }: Pick<StateDirectory, 'pki'>): TlsFiles => {
  const own = ownFiles(pki);
  if (existsSync(own.certificate)) return own;
  const issued = join(pki, 'issued');
  return {
    certificate: join(issued, 'server.crt'),
    key: own.key,
    authority: join(issued, 'authority.crt'),
    revoked: join(issued, 'revoked'),
  };
};

/**
 * Makes the receiver's key where there is none: readable by the receiver alone, also not by the issuer, which certifies
 * it and makes everything else.
 * @param receiver its user
 * @returns `null` where no listener speaks TLS
 * @throws UpError `state-unusable`
 */
export const preparePki = (
  state: StateDirectory,
  { listen, tlsNames }: Pick<UpOptions, 'listen' | 'tlsNames'>,
  receiver: Owner,
): Pki | null => {
  if (!listen.some(({ kind }) => speaksTls(kind))) return null;
  const tls = tlsFilesOf(state);
  if (tls.certificate === ownFiles(state.pki).certificate) return { tls, issuer: null };
  try {
    if (!existsSync(tls.key)) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      replaceFile(tls.key, pem, 0o400, receiver);
    }
    const spki = createPublicKey(readFileSync(tls.key)).export({ type: 'spki', format: 'der' });
    return { tls, issuer: { serverKey: spki.toString('base64'), serverNames: serverNames(tlsNames) } };
  } catch (error) {
    throw new UpError(
      'state-unusable',
      `the key of the receiver, ${tls.key}, cannot be used: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
};

/** By which a sender may know this host: its name, its addresses, and what the operator says. */
export const serverNames = (more: readonly string[]): string[] => {
  const addresses = Object.values(networkInterfaces())
    .flatMap((some) => some ?? [])
    .map(({ address }) => address)
    // A link-local one means something else on each link.
    .filter((address) => !/^(fe80|127\.|::1$)/i.test(address));
  const names = [...more, hostname(), 'localhost', '127.0.0.1', '::1', ...addresses.toSorted()];
  return [...new Set(names)].slice(0, mostNames);
};
