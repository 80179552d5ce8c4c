import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCheckpoint, parseVkey } from '#vault/checkpoint';
import { removeState, run, startUp, temporaryState, until } from '../harness/up.ts';

const config = `
[req]
distinguished_name = dn
prompt = no
x509_extensions = v3
[dn]
CN = Test authority
[v3]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
basicConstraints = CA:FALSE
[tsa]
default_tsa = tsa1
[tsa1]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
`;

test('a time stamp of a local authority goes into the log, and comes out as files that openssl ts verifies', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'holdfast-tsa-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const openssl = (line: string): void => {
    const { status, stderr } = spawnSync('openssl', line.split(' '), { cwd: place, encoding: 'utf8' });
    assert.equal(status, 0, `openssl ${line}: ${stderr}`);
  };
  writeFileSync(join(place, 'tsa.cnf'), config);
  writeFileSync(join(place, 'serial'), '01\n');
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -days 2 -config tsa.cnf');
  const authority = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      writeFileSync(join(place, 'query.tsq'), Buffer.concat(parts));
      openssl('ts -reply -config tsa.cnf -queryfile query.tsq -out reply.tsr');
      response.setHeader('content-type', 'application/timestamp-reply');
      response.end(readFileSync(join(place, 'reply.tsr')));
    });
  });
  await new Promise<void>((resolve) => authority.listen(0, '127.0.0.1', resolve));
  t.after(() => authority.close());
  const address = authority.address();
  assert.ok(typeof address === 'object' && address !== null);

  const state = temporaryState();
  t.after(() => removeState(state));
  const up = await startUp(state, ['--timestamp-authority', `http://127.0.0.1:${address.port}/`]);
  t.after(() => up.interrupt());
  const out = join(place, 'stamps');
  await until('a time stamp is in the log', () =>
    /^size [1-9]/m.test(run('vault', 'timestamps', '--out', out, '--state', state.root).stdout),
  );
  const checkpoint = readdirSync(out).find((name) => name.endsWith('.checkpoint')) ?? '';
  const stamped = openCheckpoint(readFileSync(join(out, checkpoint)), parseVkey(up.ready().vkey));
  assert.ok(stamped.size > 0);
  const token = checkpoint.replace('.checkpoint', '.token');
  openssl(`ts -verify -data stamps/${checkpoint} -in stamps/${token} -token_in -CAfile tsa.pem`);
  writeFileSync(join(out, checkpoint), `${readFileSync(join(out, checkpoint), 'utf8')} `);
  assert.throws(() =>
    openssl(`ts -verify -data stamps/${checkpoint} -in stamps/${token} -token_in -CAfile tsa.pem`),
  );
});
