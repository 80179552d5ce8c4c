import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConsoleError, startConsole } from './index.ts';
import { openSessions } from './sessions.ts';
import { sampleHit } from './scripted-search.ts';
import { startTestConsole } from './test-console.ts';

const code = (wanted: string) => (error: unknown) => error instanceof ConsoleError && error.code === wanted;

test('the token opens a session, leaves the address, and everything else needs a session', async (t) => {
  const { ask, token, port, cookie } = await startTestConsole(t);

  const login = await ask(`/?token=${token}`, { headers: { cookie: undefined } });
  assert.equal(login.status, 303);
  assert.equal(login.headers.location, '/');
  const [setCookie = ''] = login.headers['set-cookie'] ?? [];
  assert.match(
    setCookie,
    new RegExp(`^holdfast_session_${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`),
  );
  assert.notEqual(setCookie.split(';')[0], cookie, 'each login has a session of its own');
  assert.ok(!setCookie.includes(token));
  assert.equal(
    (await ask(`/?token=${token}`)).status,
    303,
    'until the next start the link can be used again',
  );

  assert.equal((await ask('/')).status, 200);
  for (const path of [
    '/',
    '/index.html',
    '/assets/x.js',
    '/nowhere',
    '/api/status',
    '/api/audit',
    '/api/sources',
    '/api/tail',
  ]) {
    for (const stranger of [
      undefined,
      'holdfast_session=x',
      `holdfast_session_${port}=`,
      `holdfast_session_${port}=${token}`,
    ]) {
      const answer = await ask(path, { headers: { cookie: stranger } });
      assert.equal(answer.status, 401, `${path} with ${stranger}`);
      assert.match(answer.body, /holdfast up/);
    }
  }
  const search = await ask('/api/search', {
    method: 'POST',
    body: '{"query":""}',
    headers: { cookie: undefined },
  });
  assert.equal(search.status, 401);
  assert.equal(JSON.parse(search.body).error.code, 'no-session');
});

test('a wrong token is refused, also with a session, and opens none', async (t) => {
  const { ask, token } = await startTestConsole(t);
  for (const wrong of ['', 'x', `${token}x`, token.slice(0, -1), token.toLowerCase()]) {
    const answer = await ask(`/?token=${wrong}`);
    assert.equal(answer.status, 401, wrong);
    assert.equal(answer.headers['set-cookie'], undefined);
    assert.match(answer.body, /no longer good[\s\S]*holdfast up/);
  }
  assert.equal((await ask(`/api/status?token=${token}`, { headers: { cookie: undefined } })).status, 401);
});

test('Host must name this console, whatever else is right', async (t) => {
  const { ask, port, token } = await startTestConsole(t);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `LOCALHOST:${port}`]) {
    assert.equal((await ask('/api/status', { headers: { host } })).status, 200, host);
  }
  for (const host of [
    `evil.example:${port}`,
    '127.0.0.1',
    'localhost:1',
    `127.0.0.1.evil.example:${port}`,
    `0.0.0.0:${port}`,
  ]) {
    assert.equal((await ask('/api/status', { headers: { host } })).status, 421, host);
    assert.equal((await ask(`/?token=${token}`, { headers: { host } })).status, 421, host);
  }
});

test('a page of another origin gets nothing from the API', async (t) => {
  const { ask, port } = await startTestConsole(t);
  const search = { method: 'POST', body: '{"query":""}' };
  for (const origin of [`http://127.0.0.1:${port}`, undefined]) {
    assert.equal((await ask('/api/search', { ...search, headers: { origin } })).status, 200);
  }
  for (const origin of [
    'null',
    'http://evil.example',
    `https://127.0.0.1:${port}`,
    'http://127.0.0.1:1',
    `http://localhost:${port}`,
  ]) {
    assert.equal((await ask('/api/search', { ...search, headers: { origin } })).status, 403, origin);
    assert.equal((await ask('/api/tail', { headers: { origin } })).status, 403, origin);
  }
  for (const site of ['cross-site', 'same-site']) {
    assert.equal((await ask('/api/status', { headers: { 'sec-fetch-site': site } })).status, 403, site);
  }
});

test('each answer says what a browser may do with it', async (t) => {
  const { ask, search } = await startTestConsole(t);
  search.hits.push(sampleHit({}));
  for (const path of ['/', '/api/status', '/nowhere', '/?token=wrong']) {
    const { headers } = await ask(path);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
  const { headers } = await ask('/');
  assert.match(
    String(headers['content-security-policy']),
    /script-src 'self'.*require-trusted-types-for 'script'/,
  );
});

test('a page that is not built says how to build it', async (t) => {
  const { ask, state } = await startTestConsole(t);
  await rm(join(state, 'page', 'index.html'));
  const { status, body } = await ask('/');
  assert.equal(status, 503);
  assert.match(body, /npm run build/);
});

test('sessions end after twelve hours, and the oldest makes room', () => {
  let now = 0;
  const sessions = openSessions('token', {
    now: () => assert.fail('wall time must not matter'),
    elapsed: () => now,
  });
  const first = sessions.open('token') ?? assert.fail();
  assert.equal(sessions.open('tokem'), null);
  now = 12 * 3_600_000 - 1;
  assert.equal(sessions.holds(first), true);
  now += 1;
  assert.equal(sessions.holds(first), false);

  const second = sessions.open('token') ?? assert.fail();
  const later = Array.from({ length: 64 }, () => sessions.open('token') ?? assert.fail());
  assert.equal(sessions.holds(second), false);
  assert.ok(later.every((id) => sessions.holds(id)));
});

test('the console starts on loopback alone, and with a secret that is one', async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'holdfast-console-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  const tokenFile = join(state, 'token');
  const start = (host: string) => startConsole({ state, host, port: 0, tokenFile, log: () => undefined });

  await assert.rejects(start('127.0.0.1'), code('token-unusable'));
  await writeFile(tokenFile, 'short', { mode: 0o600 });
  await assert.rejects(start('127.0.0.1'), code('token-unusable'));
  await writeFile(tokenFile, 'x'.repeat(43));
  await chmod(tokenFile, 0o644);
  await assert.rejects(start('127.0.0.1'), code('token-unusable'));
  await chmod(tokenFile, 0o600);
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org'])
    await assert.rejects(start(host), code('not-loopback'), host);

  const running = await start('127.0.0.1');
  await running.stop();
  await assert.rejects(fetch(running.address));
});
