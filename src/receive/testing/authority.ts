import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TlsFiles } from '#wire/listen';

/** Key and certificate (PEM files) of somebody whom a test's authority has certified. */
export type Holder = { key: string; certificate: string; serial: string };

/** An authority made with openssl, removed after the test. */
export type TestAuthority = {
  files: TlsFiles;
  directory: string;
  issue(name: string): Holder;
};

const openssl = (directory: string, ...args: string[]): string =>
  execFileSync('openssl', args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export const testAuthority = (t: TestContext): TestAuthority => {
  const directory = mkdtempSync(join(tmpdir(), 'authority-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const at = (file: string): string => join(directory, file);
  openssl(
    directory,
    'req',
    '-x509',
    ...keyOptions,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  const issue = (name: string): Holder => {
    const base = name.replace(/[^a-z0-9]/gi, '_');
    openssl(
      directory,
      'req',
      '-new',
      ...keyOptions,
      '-keyout',
      `${base}.key`,
      '-out',
      `${base}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    writeFileSync(at(`${base}.ext`), `subjectAltName=DNS:${name},IP:127.0.0.1\n`);
    openssl(
      directory,
      'x509',
      '-req',
      '-in',
      `${base}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      `${base}.ext`,
      '-out',
      `${base}.crt`,
    );
    const serial = openssl(directory, 'x509', '-in', `${base}.crt`, '-noout', '-serial')
      .trim()
      .replace('serial=', '');
    return { key: at(`${base}.key`), certificate: at(`${base}.crt`), serial };
  };
  const server = issue('localhost');
  return {
    files: {
      certificate: server.certificate,
      key: server.key,
      authority: at('ca.crt'),
      revoked: at('revoked'),
    },
    directory,
    issue,
  };
};
