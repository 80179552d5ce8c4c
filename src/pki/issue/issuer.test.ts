import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readRegister } from '../book/index.ts';
import { makeSigningRequest, newKey, PkiError, renewalOf } from '../host/index.ts';
import { day, enrolment, openPlace as open, renewal, serverPem, type Place } from '../testing/place.ts';
import { enrolStatement, newToken, parseToken } from '../token/index.ts';

const openssl = (
  place: Place,
  purpose: string,
  certificate: string,
  ...more: string[]
): { ok: boolean; text: string } => {
  const file = join(place.root, 'one.crt');
  writeFileSync(file, certificate);
  const { status, stdout, stderr } = spawnSync(
    'openssl',
    [
      'verify',
      '-x509_strict',
      '-purpose',
      purpose,
      '-CAfile',
      join(place.issued, 'authority.crt'),
      ...more,
      file,
    ],
    { encoding: 'utf8' },
  );
  return { ok: status === 0, text: stdout + stderr };
};

describe('the issuer', () => {
  it('certifies a host for a token once, and OpenSSL takes its chain for a client alone', async (t) => {
    const place = await open(t);
    const key = newKey();
    const text = await place.token('web1.example');
    const request = await enrolment(text, 'web1.example', key);
    const first = await place.stranger('/enrol', request);
    assert.equal(first.status, 201);
    const made = new X509Certificate(first.body.certificate);
    assert.equal(made.subject, 'CN=web1.example');
    assert.equal(made.subjectAltName, 'DNS:web1.example');
    assert.ok(made.checkPrivateKey(createPrivateKey(key)));
    assert.ok(Date.parse(made.validFrom) < Date.now() - 50 * 60_000, 'a clock that is behind takes it too');
    assert.deepEqual(openssl(place, 'sslclient', first.body.certificate), {
      ok: true,
      text: `${join(place.root, 'one.crt')}: OK\n`,
    });
    assert.match(
      openssl(place, 'sslserver', first.body.certificate).text,
      /unsupported certificate purpose|unsuitable certificate purpose/,
    );
    const server = readFileSync(join(place.issued, 'server.crt'), 'utf8');
    assert.ok(openssl(place, 'sslserver', server, '-verify_hostname', 'log.example').ok);
    assert.ok(openssl(place, 'sslserver', server, '-verify_ip', '127.0.0.1').ok);
    assert.ok(!openssl(place, 'sslserver', server, '-verify_hostname', 'web1.example').ok);
    assert.ok(!openssl(place, 'sslclient', server).ok);

    // Its answer was lost: the same key gets the same certificate; another key gets nothing.
    const again = await place.stranger('/enrol', request);
    assert.equal(again.body.serial, first.body.serial);
    const other = await place.stranger('/enrol', await enrolment(text, 'web1.example'));
    assert.deepEqual([other.status, other.refused], [403, 'used-token']);
    assert.deepEqual(
      place.told.map(({ kind }) => kind),
      ['authority-created', 'server-certificate-issued', 'token-created', 'certificate-issued'],
    );
    assert.equal(statSync(join(place.secret, 'authority.key')).mode & 0o777, 0o600);
    assert.equal(
      readFileSync(join(place.secret, 'book.jsonl'), 'utf8').includes(text.slice(-32)),
      false,
      'the secret is nowhere',
    );
  });

  it('uses a token up once though two ask at the same time, and though it is started again in between', async (t) => {
    const place = await open(t);
    const text = await place.token('web1.example');
    const requests = await Promise.all(Array.from({ length: 4 }, () => enrolment(text, 'web1.example')));
    const answers = await Promise.all(requests.map((request) => place.stranger('/enrol', request)));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 403, 403, 403]);
    await place.restart();
    assert.equal(
      (await place.stranger('/enrol', await enrolment(text, 'web1.example'))).refused,
      'used-token',
    );
    assert.equal(readRegister(place.secret)?.certificates.size, 1);
  });

  it('answers after a crash with what it had granted before, and tells the log of it once', async (t) => {
    const place = await open(t);
    const text = await place.token('web1.example');
    place.crashNext();
    const asked = place.stranger('/enrol', await enrolment(text, 'web1.example'));
    await until(() => readRegister(place.secret)?.certificates.size === 1);
    assert.ok(!place.told.some(({ kind }) => kind === 'certificate-issued'));
    await place.restart();
    const answer = await asked;
    assert.equal(answer.status, 201);
    assert.deepEqual([...(readRegister(place.secret)?.certificates.keys() ?? [])], [answer.body.serial]);
    assert.equal(place.told.filter(({ kind }) => kind === 'certificate-issued').length, 1);
    assert.deepEqual(
      place.told.map(({ n }) => n),
      place.told.map((_, i) => i + 1),
    );
  });

  it('refuses what was not granted', async (t) => {
    const place = await open(t);
    const text = await place.token('web1.example');
    const refused = async (body: unknown): Promise<string | null> =>
      (await place.stranger('/enrol', body)).refused;
    assert.equal(await refused(await enrolment(text, 'web2.example')), 'wrong-name');
    // One that knows the id, which is public, and not the secret.
    const guess = text.slice(0, -32) + newToken().text.slice(-32);
    assert.equal(await refused(await enrolment(guess, 'web1.example')), 'unknown-token');
    assert.equal(await refused(await enrolment(newToken().text, 'web1.example')), 'unknown-token');
    // The receiver, or who is on the way, puts a key of its own in its place.
    const honest = await enrolment(text, 'web1.example');
    const own = (await makeSigningRequest(newKey(), 'web1.example')).toString('base64');
    assert.equal(await refused({ ...Object(honest), csr: own }), 'unknown-token');
    for (const nonsense of [
      '',
      '{',
      '[]',
      '{"token":"x"}',
      'null',
      JSON.stringify({ ...Object(honest), more: 1 }),
    ])
      assert.equal(await refused(nonsense), 'bad-request');
    // The token's own signature over what is no request, or a weak key.
    const token = parseToken(text);
    const proven = (csr: Buffer) => ({
      token: token.id,
      csr: csr.toString('base64'),
      proof: sign(null, enrolStatement(csr), token.key).toString('base64'),
    });
    assert.equal(await refused(proven(Buffer.from('no request'))), 'bad-key');
    assert.equal(await refused(proven(weakRequest(place.root))), 'bad-key');
    const short = await place.token('web3.example', 1);
    place.at.days = 1;
    assert.equal(await refused(await enrolment(short, 'web3.example')), 'expired-token');
    assert.equal(readRegister(place.secret)?.certificates.size, 0);
    place.at.days = 0;
    // Nothing of all that has used it up.
    assert.equal(await refused(honest), null);
  });

  it('renews by the key of the certificate alone', async (t) => {
    const place = await open(t);
    const key = newKey();
    const enrolled = await place.stranger(
      '/enrol',
      await enrolment(await place.token('web1.example'), 'web1.example', key),
    );
    const before = String(enrolled.body.certificate);
    assert.equal(renewalOf(before, Date.now()).due, false);
    place.at.days = 70;
    assert.equal(renewalOf(before, Date.now() + 70 * day).due, true);
    const renewed = await place.stranger('/renew', await renewal(before, key));
    assert.equal(renewed.status, 201);
    assert.notEqual(renewed.body.serial, enrolled.body.serial);
    assert.ok(Date.parse(renewed.body.expires) > Date.now() + 159 * day);
    const lost = await place.stranger('/renew', await renewal(before, key));
    assert.equal(lost.body.serial, renewed.body.serial, 'its answer was lost: no third one');

    const refused = async (body: unknown): Promise<string | null> =>
      (await place.stranger('/renew', body)).refused;
    assert.equal(await refused(await renewal(before, newKey(), newKey())), 'bad-proof');
    assert.equal(await refused({ ...Object(await renewal(before, key)), proof: 'AAAA' }), 'bad-proof');
    assert.equal(await refused(await renewal(foreign(place.root, before), key)), 'unknown-certificate');
    // Its end is not seen to the second by a clock that is ahead.
    place.at.days = 90.02;
    assert.equal(await refused(await renewal(before, key)), null);
    place.at.days = 91;
    assert.equal(await refused(await renewal(before, key)), 'expired-certificate');
    // What can be renewed can be revoked.
    place.at.days = 90.02;
    const { serial } = enrolled.body;
    const revoked = await place.operator({ kind: 'revoke', which: serial, reason: 'sold', by: 'test' });
    assert.deepEqual(revoked, { kind: 'revoked', serials: [serial], tokens: [] });
    assert.equal(await refused(await renewal(before, key)), 'revoked-certificate');
    await place.operator({ kind: 'revoke', which: 'WEB1.example', reason: 'sold', by: 'test' });
    assert.equal(await refused(await renewal(String(renewed.body.certificate), key)), 'revoked-certificate');
  });

  it('revokes by name or number, open tokens too, and says who is revoked', async (t) => {
    const place = await open(t);
    const [key, other] = [newKey(), newKey()];
    const certify = async (pem: string, name: string): Promise<string> => {
      const csr = (await makeSigningRequest(pem, name)).toString('base64');
      const answer = await place.operator({ kind: 'sign', name, csr, by: 'test' });
      assert.equal(answer.kind, 'certified');
      return answer.kind === 'certified' ? answer.certified.serial : '';
    };
    const [web1, web2] = [await certify(key, 'web1.example'), await certify(other, 'web2.example')];
    assert.equal(await certify(key, 'web1.example'), web1, 'asked again for the same key');
    const text = await place.token('web1.example');
    const answer = await place.operator({
      kind: 'revoke',
      which: 'web1.example',
      reason: 'stolen',
      by: 'test',
    });
    assert.deepEqual(answer, { kind: 'revoked', serials: [web1], tokens: [parseToken(text).id] });
    assert.equal(readFileSync(join(place.issued, 'revoked'), 'utf8'), `${web1}\n`);
    assert.equal(
      (await place.stranger('/enrol', await enrolment(text, 'web1.example'))).refused,
      'used-token',
    );
    const colons = web2.toLowerCase().replace(/..(?=.)/g, '$&:');
    await place.operator({ kind: 'revoke', which: colons, reason: 'gone', by: 'test' });
    assert.equal(readFileSync(join(place.issued, 'revoked'), 'utf8'), `${web1}\n${web2}\n`);
    const nothing = await place.operator({ kind: 'revoke', which: 'web9', reason: 'x', by: 'test' });
    assert.equal(nothing.kind === 'refused' && nothing.error, 'nothing-to-revoke');
    // Those that are over are named no more, and the list is made again from the book.
    rmSync(join(place.issued, 'revoked'));
    place.at.days = 200;
    await place.restart();
    assert.equal(readFileSync(join(place.issued, 'revoked'), 'utf8'), '');
  });

  it('gives the receiver a new certificate before the old one ends, and for other names', async (t) => {
    const place = await open(t);
    const shown = (): X509Certificate => new X509Certificate(readFileSync(join(place.issued, 'server.crt')));
    const first = shown();
    await place.restart();
    assert.equal(shown().serialNumber, first.serialNumber);
    place.at.days = 65;
    await place.restart();
    const second = shown();
    assert.notEqual(second.serialNumber, first.serialNumber);
    assert.ok(second.checkPrivateKey(createPrivateKey(serverPem)), 'the key stays');
    await place.restart(['log.example', '192.0.2.1']);
    assert.match(shown().subjectAltName ?? '', /IP Address:192\.0\.2\.1/);
  });

  it('never makes a second authority in the place of one that is lost, and reads over a torn line', async (t) => {
    const place = await open(t);
    const book = join(place.secret, 'book.jsonl');
    appendFileSync(book, '{"n":3,"kind":"certif');
    await place.restart();
    await place.token('web1.example');
    assert.equal(readFileSync(book, 'utf8').split('\n').length, 4);
    await place.issuer.stop();
    const key = readFileSync(join(place.secret, 'authority.key'));
    const code = (wanted: string) => (error: unknown) => error instanceof PkiError && error.code === wanted;
    rmSync(join(place.secret, 'authority.key'));
    await assert.rejects(place.restart(), code('authority-lost'));
    writeFileSync(join(place.secret, 'authority.key'), newKey());
    await assert.rejects(place.restart(), code('authority-lost'));
    writeFileSync(join(place.secret, 'authority.key'), key);
    writeFileSync(book, readFileSync(book, 'utf8').replace('token-created', 'token-cerated'));
    await assert.rejects(place.restart(), code('unusable-file'));
    writeFileSync(book, readFileSync(book, 'utf8').replace('token-cerated', 'token-created'));
    await place.restart();
  });
});

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
};

const weakRequest = (directory: string): Buffer => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const file = join(directory, 'weak.key');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return execFileSync('openssl', [
    'req',
    '-new',
    '-key',
    file,
    '-subj',
    '/CN=web1.example',
    '-outform',
    'DER',
  ]);
};

/** A certificate of another authority with the same number and name. */
const foreign = (directory: string, like: string): string => {
  const key = join(directory, 'foreign.key');
  writeFileSync(key, newKey());
  const serial = `0x${new X509Certificate(like).serialNumber}`;
  return execFileSync(
    'openssl',
    ['req', '-x509', '-new', '-key', key, '-subj', '/CN=web1.example', '-set_serial', serial],
    { encoding: 'utf8' },
  );
};
