import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Shown } from '#witness';
import { startStamping } from './stamping.ts';
import { timestampQuery, tokenOf } from './timestamp.ts';

/** A time stamping authority of the test's own, made with the real openssl. */
const place = mkdtempSync(join(tmpdir(), 'holdfast-tsa-'));
const at = (name: string): string => join(place, name);

const openssl = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync('openssl', args, { cwd: place, encoding: 'utf8' });

before(() => {
  writeFileSync(
    at('tsa.cnf'),
    [
      '[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = v3\n[dn]\nCN = Test authority\n',
      '[v3]\nextendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\nbasicConstraints = CA:FALSE\n',
      '[tsa]\ndefault_tsa = tsa1\n[tsa1]\nserial = serial\ncrypto_device = builtin\nsigner_cert = tsa.pem\nsigner_key = tsa.key\n',
      'signer_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\nordering = no\ntsa_name = no\ness_cert_id_chain = no\n',
    ].join(''),
  );
  writeFileSync(at('serial'), '01\n');
  const made = openssl(
    ...'req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -days 2 -config tsa.cnf'.split(' '),
  );
  assert.equal(made.status, 0, made.stderr);
});

after(() => rmSync(place, { recursive: true, force: true }));

const reply = (query: Buffer): Buffer => {
  writeFileSync(at('query.tsq'), query);
  const made = openssl(...'ts -reply -config tsa.cnf -queryfile query.tsq -out reply.tsr'.split(' '));
  assert.equal(made.status, 0, made.stderr);
  return readFileSync(at('reply.tsr'));
};

/** As docs/evidence.md shows it. */
const verifies = (bytes: Buffer, token: Buffer): boolean => {
  writeFileSync(at('checkpoint'), bytes);
  writeFileSync(at('token.der'), token);
  return (
    openssl(...'ts -verify -data checkpoint -in token.der -token_in -CAfile tsa.pem'.split(' ')).status === 0
  );
};

const note = Buffer.from('log.example\n7\nroot\n\n— log.example sig\n');

describe('time stamp', () => {
  it('is asked for as openssl reads it', () => {
    for (let i = 0; i < 20; i++) {
      writeFileSync(at('q'), timestampQuery(note, i === 0 ? Buffer.alloc(8) : randomBytes(8)).query);
      const { status, stdout, stderr } = openssl(...'ts -query -in q -text'.split(' '));
      assert.equal(status, 0, stderr);
      assert.match(stdout, /Hash Algorithm: sha256/);
      assert.match(stdout, /Nonce: 0x[0-9A-F]{16}\n/);
      assert.match(stdout, /Certificate required: yes/);
    }
  });

  it('verifies with openssl ts, over these bytes and no others', () => {
    const asked = timestampQuery(note, randomBytes(8));
    const token = tokenOf(reply(asked.query), asked);
    assert.ok(verifies(note, token));
    assert.ok(!verifies(Buffer.concat([note, Buffer.from(' ')]), token));
  });

  it('is refused where the authority refuses, where it is about something else, and in any torn form', () => {
    const asked = timestampQuery(note, randomBytes(8));
    const response = reply(asked.query);
    assert.throws(() => tokenOf(response, timestampQuery(note, randomBytes(8))), /something else/);
    assert.throws(() => tokenOf(response, { ...asked, imprint: randomBytes(32) }), /something else/);
    assert.throws(
      () => tokenOf(reply(Buffer.from('30030201ff', 'hex')), asked),
      /refuses|no DER|leaves|ends/,
    );
    for (let length = 0; length < response.length; length += 7)
      assert.throws(() => tokenOf(response.subarray(0, length), asked), Error, `${length}`);
    assert.throws(() => tokenOf(Buffer.concat([response, Buffer.alloc(1)]), asked));
    for (let i = 0; i < 300; i++) {
      const garbage = randomBytes(1 + (i % 60));
      assert.throws(() => tokenOf(garbage, asked), Error);
    }
  });

  it('is fetched for each new checkpoint, and said as a line that has all that openssl needs', async () => {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        if (request.headers['content-type'] !== 'application/timestamp-query') response.statusCode = 415;
        response.end(reply(Buffer.concat(parts)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const said: { kind: string; fields: Record<string, unknown> }[] = [];
    const shown: Shown = {
      bytes: note,
      head: { origin: 'log.example', size: 7, root: Buffer.alloc(32) },
      note: { text: '', signatures: [] },
    };
    const stamping = startStamping({
      publisher: () => ({ checkpoint: () => Promise.resolve(shown) }),
      authority: `http://127.0.0.1:${port}/`,
      every: 30,
      say(kind, fields) {
        said.push({ kind, fields });
        return Promise.resolve();
      },
      log: () => undefined,
    });
    for (let waited = 0; said.length === 0 && waited < 60_000; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await stamping.stop();
    server.close();
    assert.equal(said.length, 1, 'an unchanged checkpoint is stamped once');
    const { kind, fields } = said[0] ?? { kind: '', fields: {} };
    assert.equal(kind, 'timestamp');
    assert.ok(verifies(Buffer.from(String(fields['note'])), Buffer.from(String(fields['token']), 'base64')));
  });
});
