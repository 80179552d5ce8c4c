import { sign, X509Certificate, createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Certified } from '#wire/pki';
import { z } from 'zod';
import { PkiError } from '../errors.ts';
import { newKey } from '../key.ts';
import { enrolStatement, parseToken, renewStatement } from '../token/index.ts';
import { hostFiles, readHostFile, writeHostFile } from './files.ts';
import { askServer, fetchAuthority, type Server } from './server.ts';
import { makeSigningRequest } from './signing-request.ts';

const enrolment = z.strictObject({ host: z.string(), port: z.int() });

/**
 * Makes a key on this host, and has it certified for a token. The key never leaves the host, and neither does the token.
 * What was begun and not ended can be done again with the same token: the key that was made is kept for it.
 * @param directory where key, certificate and authority are kept
 * @throws PkiError
 */
export const enrolHost = async (
  directory: string,
  given: { server: Server; fingerprint: string; token: string; name: string },
): Promise<Certified> => {
  const { server, name } = given;
  const files = hostFiles(directory);
  const token = parseToken(given.token);
  if (existsSync(files.certificate))
    throw new PkiError(
      'refused',
      `this host has a certificate already, in ${files.certificate}. Renew it with 'holdfast hosts renew', or move it away first`,
    );
  const authority = await fetchAuthority(server, given.fingerprint);
  if (!existsSync(files.key)) writeHostFile(files.key, newKey(), 0o600);
  const csr = await makeSigningRequest(readHostFile(files.key), name);
  const granted = await askServer(
    server,
    '/enrol',
    {
      token: token.id,
      csr: csr.toString('base64'),
      proof: sign(null, enrolStatement(csr), token.key).toString('base64'),
    },
    { ca: authority },
  );
  writeHostFile(files.authority, authority, 0o644);
  writeHostFile(files.enrolment, `${JSON.stringify(enrolment.parse(server))}\n`, 0o644);
  writeHostFile(files.certificate, granted.certificate, 0o644);
  return granted;
};

/** When a certificate ends, and whether it is time for another: when less than a third of its life is left. */
export const renewalOf = (
  certificate: string,
  nowMs: number,
): { name: string; expires: Date; dueAt: Date; due: boolean } => {
  const { validFrom, validTo, subject } = new X509Certificate(certificate);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  const dueAt = new Date(to - (to - from) / 3);
  return {
    name: /^CN=(.*)$/m.exec(subject)?.[1] ?? '',
    expires: new Date(to),
    dueAt,
    due: nowMs >= dueAt.getTime(),
  };
};

/**
 * Has the key of this host certified again. Only the certificate is replaced, so there is no moment at which the two do
 * not belong together.
 * @param given where it enrolled, if it is elsewhere now
 * @throws PkiError
 */
export const renewHost = async (directory: string, given: Server | null): Promise<Certified> => {
  const files = hostFiles(directory);
  const [key, certificate, authority] = [
    readHostFile(files.key),
    readHostFile(files.certificate),
    readHostFile(files.authority),
  ];
  const server = given ?? enrolment.parse(JSON.parse(readHostFile(files.enrolment)));
  const csr = await makeSigningRequest(key, renewalOf(certificate, 0).name);
  const granted = await askServer(
    server,
    '/renew',
    {
      certificate,
      csr: csr.toString('base64'),
      proof: sign('sha256', renewStatement(csr), createPrivateKey(key)).toString('base64'),
    },
    { ca: authority, key, cert: certificate },
  );
  writeHostFile(files.certificate, granted.certificate, 0o644);
  return granted;
};
