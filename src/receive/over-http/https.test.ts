import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { testAuthority, type Holder, type TestAuthority } from '../testing/authority.ts';
import { start, until, type Started } from '../testing/receiver.ts';
import type { CertificateHandler } from './certificates.ts';

const ask = async (
  port: number,
  { files }: TestAuthority,
  path: string,
  body: string,
  holder: Holder | null,
): Promise<{ status: number; body: string } | 'closed'> => {
  const sent = request({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    path,
    method: 'POST',
    agent: false,
    ca: readFileSync(files.authority),
    ...(holder === null ? {} : { key: readFileSync(holder.key), cert: readFileSync(holder.certificate) }),
  });
  sent.end(body);
  try {
    const [response] = await once(sent, 'response');
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode, body: text };
  } catch {
    return 'closed';
  }
};

const lost = (receiver: Started, cause: string): number =>
  receiver
    .lines('receiver')
    .map((line) => JSON.parse(line))
    .filter((line) => line.cause === cause)
    .reduce((sum, { count }) => sum + count, 0);

describe('HTTP over TLS', () => {
  it('keeps the name in the certificate, and without one nobody speaks', async (t) => {
    const authority = testAuthority(t);
    const receiver = await start(t, ['https'], {}, '127.0.0.1', () => undefined, { tls: authority.files });
    const port = receiver.port('https');
    const web = authority.issue('web1.example');
    assert.deepEqual(await ask(port, authority, '/ingest', 'one', web), { status: 200, body: 'OK.\n' });
    assert.equal(await ask(port, authority, '/ingest', 'two', null), 'closed');
    assert.equal(
      await ask(port, authority, '/ingest', 'three', testAuthority(t).issue('web1.example')),
      'closed',
    );
    await receiver.stop();
    const stored = receiver.stored().filter(({ listener }) => listener.startsWith('https='));
    assert.deepEqual(
      stored.map(({ tlsName, raw }) => [tlsName, raw.toString()]),
      [['web1.example', 'one']],
    );
    assert.equal(lost(receiver, 'no certificate'), 2);
  });

  it('lets one without a certificate enrol, and do nothing else', async (t) => {
    const authority = testAuthority(t);
    const asked: unknown[] = [];
    const certificates: CertificateHandler = ({ peer, body, ...rest }) => {
      asked.push({ ...rest, body: body.toString(), hasPeer: peer.startsWith('127.0.0.1:') });
      return Promise.resolve({
        status: 201,
        body: '{"certificate":""}',
        type: 'application/json',
        refused: null,
      });
    };
    const receiver = await start(t, ['https', 'http'], {}, '127.0.0.1', () => undefined, {
      tls: authority.files,
      certificates,
    });
    const port = receiver.port('https');
    const web = authority.issue('web1.example');
    const answers = [
      await ask(port, authority, '/enrol', 'token', null),
      await ask(port, authority, '/renew', 'request', null),
      await ask(port, authority, '/ingest', 'line', null),
      await ask(port, authority, '/renew', 'request', web),
      await ask(port, authority, '/enrol', 'x'.repeat(70_000), null),
    ];
    assert.deepEqual(
      answers.map((answer) => (answer === 'closed' ? answer : answer.status)),
      [201, 403, 403, 201, 413],
    );
    assert.deepEqual(asked, [
      { method: 'POST', path: '/enrol', body: 'token', tlsName: '', hasPeer: true },
      { method: 'POST', path: '/renew', body: 'request', tlsName: 'web1.example', hasPeer: true },
    ]);
    // Never in clear text: a token is a secret.
    const plain = await fetch(`http://127.0.0.1:${receiver.port('http')}/enrol`, {
      method: 'POST',
      body: 'token',
    });
    assert.equal(plain.status, 404);
    await receiver.stop();
    assert.equal(lost(receiver, 'no certificate'), 2);
    assert.equal(receiver.stored().filter(({ listener }) => listener.startsWith('https=')).length, 0);
  });

  it('lets nobody be kept from a certificate by strangers who say nothing, nor from a new one by those who enrol', async (t) => {
    const authority = testAuthority(t);
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let waiting = 0;
    const certificates: CertificateHandler = async ({ path, body }) => {
      if (path === '/enrol' && body.toString() === 'slow') {
        waiting += 1;
        await finished;
      }
      return { status: 201, body: '{}', type: 'application/json', refused: null };
    };
    const receiver = await start(t, ['https'], { http: { shortMs: 3000 } }, '127.0.0.1', () => undefined, {
      tls: authority.files,
      certificates,
    });
    const port = receiver.port('https');
    const answers: string[] = [];
    const strangers = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          servername: 'localhost',
          ca: readFileSync(authority.files.authority),
        });
        t.after(() => socket.destroy());
        socket.on('error', () => undefined);
        answers[n] = '';
        socket.on('data', (chunk) => {
          answers[n] += String(chunk);
        });
        await once(socket, 'secureConnect');
        socket.write('POST /enrol HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
        return socket;
      }),
    );
    assert.deepEqual(await ask(port, authority, '/enrol', 'token', null), { status: 201, body: '{}' });
    await Promise.all(strangers.map((socket) => socket.closed || once(socket, 'close')));
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);

    const slow = Array.from({ length: 16 }, () => ask(port, authority, '/enrol', 'slow', null));
    await until(() => waiting === 8);
    const refused = await ask(port, authority, '/enrol', 'token', null);
    assert.equal(refused === 'closed' ? refused : refused.status, 503);
    const renewed = await ask(port, authority, '/renew', 'request', authority.issue('web1.example'));
    assert.deepEqual(renewed, { status: 201, body: '{}' });
    finish();
    await Promise.all(slow);
    await receiver.stop();
    assert.equal(lost(receiver, 'slow request'), 20);
  });
});
