import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import {
  alive,
  holdfast,
  removeState,
  run,
  search,
  startUp,
  temporaryState,
  until,
  type RunningUp,
} from '../harness/up.ts';

/** Who may speak: hosts get a certificate by a token, send with it, renew it, and lose it again. */
const state = temporaryState();
const hosts = mkdtempSync(join(tmpdir(), 'holdfast-hosts-'));
let up: RunningUp;

before(async () => {
  up = await startUp(state, [
    '--no-agent',
    '--listen',
    'https=127.0.0.1:0',
    '--listen',
    'syslog-tls=127.0.0.1:0',
  ]);
});

after(async () => {
  await up.interrupt();
  removeState(state);
  rmSync(hosts, { recursive: true, force: true });
});

type Outcome = { status: number | null; stdout: string; stderr: string };

const here = (...args: string[]): Outcome => {
  const [verb = '', ...rest] = args;
  return run('hosts', verb, '--state', state.root, ...rest);
};

type Token = { token: string; server: string; fingerprint: string; command: string };
const tokenFor = (name: string, ...more: string[]): Token => {
  const { status, stdout, stderr } = here('token', name, '--json', ...more);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
};

/** As the host itself does it, with a state directory of its own. */
const enrol = (host: string, name: string, { token, server, fingerprint }: Token): Outcome =>
  spawnSync(
    holdfast,
    [
      'hosts',
      'enrol',
      name,
      '--state',
      join(hosts, host),
      '--server',
      server,
      '--fingerprint',
      fingerprint,
      '--token-file',
      '-',
    ],
    { input: `${token}\n`, encoding: 'utf8' },
  );

const file = (host: string, name: string): string => join(hosts, host, 'pki', name);
const portOf = (name: string): number => Number(up.ready().receiver[name]?.split(':').at(-1));

const dial = async (host: string): Promise<TLSSocket> => {
  const socket = connect({
    host: '127.0.0.1',
    port: portOf('syslogTls'),
    ca: readFileSync(file(host, 'authority.crt')),
    key: readFileSync(file(host, 'client.key')),
    cert: readFileSync(file(host, 'client.crt')),
  });
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
  return socket;
};

const serialOf = (host: string): string =>
  spawnSync('openssl', ['x509', '-noout', '-serial', '-in', file(host, 'client.crt')], { encoding: 'utf8' })
    .stdout.trim()
    .replace('serial=', '');

const found = (query: string): Promise<number> =>
  until(`'${query}' is found`, () => search(state, query).hits.length > 0);

test('a host enrols with a token, and OpenSSL sends with what it got', async () => {
  const given = tokenFor('web1.example');
  assert.match(
    given.command,
    /^holdfast hosts enrol web1\.example --server 127\.0\.0\.1:\d+ --fingerprint sha256:[0-9a-f]{64} --token-file -$/,
  );
  assert.ok(!given.command.includes(given.token));
  const { status, stdout, stderr } = enrol('web1', 'web1.example', given);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /web1\.example has a certificate until 20/);
  assert.equal(statSync(file('web1', 'client.key')).mode & 0o777, 0o600);
  const verified = spawnSync(
    'openssl',
    ['verify', '-purpose', 'sslclient', '-CAfile', file('web1', 'authority.crt'), file('web1', 'client.crt')],
    { encoding: 'utf8' },
  );
  assert.match(verified.stdout, /: OK\n$/);
  const sent = spawnSync(
    'openssl',
    [
      's_client',
      '-quiet',
      '-no_ign_eof',
      '-connect',
      `127.0.0.1:${portOf('syslogTls')}`,
      '-verify_return_error',
      '-verify_ip',
      '127.0.0.1',
      '-CAfile',
      file('web1', 'authority.crt'),
      '-cert',
      file('web1', 'client.crt'),
      '-key',
      file('web1', 'client.key'),
    ],
    {
      input: '<13>1 2026-05-12T03:00:00Z web1 try - - - over-tls-with-own-certificate\n',
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  assert.equal(sent.stderr.includes('verify error'), false, sent.stderr);
  await found('over-tls-with-own-certificate');
  for (const kind of ['authority-created', 'token-created', 'certificate-issued'])
    await found(`app:holdfast kind=${kind}`);
  const lines = search(state, 'app:holdfast kind=token-created').hits.map(({ raw }) =>
    Buffer.from(raw, 'base64').toString(),
  );
  assert.equal(
    lines.some((line) => line.includes(given.token.slice(-32))),
    false,
    'no secret is in the log',
  );
});

test('a token is good once, for its host, for its time, and for the server with the fingerprint alone', async () => {
  const given = tokenFor('web2.example');
  assert.equal(enrol('other', 'web9.example', given).status, 3);
  const pinned = enrol('other', 'web2.example', { ...given, fingerprint: `sha256:${'0'.repeat(64)}` });
  assert.match(pinned.stderr, /is not of the authority with the fingerprint/);
  assert.equal(pinned.status, 3);
  assert.equal(enrol('web2', 'web2.example', given).status, 0);
  const again = enrol('other', 'web2.example', given);
  assert.match(again.stderr, /used-token/);
  assert.equal(again.status, 3);
  const short = tokenFor('web3.example', '--valid', '1s');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.match(enrol('web3', 'web3.example', short).stderr, /expired-token/);
  assert.equal(existsSync(file('web3', 'client.crt')), false);
  await found('app:holdfast kind=certificate-refused reason=used-token');
  await found('app:holdfast kind=certificate-refused reason=wrong-name');
  await found('app:holdfast kind=certificate-refused reason=expired-token');
});

test('of many that come with one token at the same time one is heard, though the issuer is killed meanwhile', async () => {
  const given = tokenFor('web4.example');
  const attempts = Array.from({ length: 3 }, (_, i) => {
    const child = spawn(
      holdfast,
      [
        'hosts',
        'enrol',
        'web4.example',
        '--state',
        join(hosts, `web4-${i}`),
        '--server',
        given.server,
        '--fingerprint',
        given.fingerprint,
        '--token-file',
        '-',
      ],
      { stdio: ['pipe', 'ignore', 'ignore'] },
    );
    child.stdin.end(`${given.token}\n`);
    return once(child, 'exit').then(([status]) => Number(status));
  });
  for (let i = 0; i < 4; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const pid = up.ready().processes['issuer']?.pid;
    // One that was killed may be named still.
    if (pid !== undefined && alive(pid)) process.kill(pid, 'SIGKILL');
  }
  await Promise.all(attempts);
  await until('the issuer is back', () => here('token', 'web5.example').status === 0);
  // Those that came while it was away may come again: still one at most.
  for (let i = 0; i < 3; i += 1) enrol(`web4-${i}`, 'web4.example', given);
  const list: { certificates: { name: string }[] } = JSON.parse(here('list', '--json').stdout);
  assert.equal(list.certificates.filter(({ name }) => name === 'web4.example').length, 1);
  const holders = [0, 1, 2].filter((i) => existsSync(file(`web4-${i}`, 'client.crt')));
  assert.equal(holders.length, 1);
});

test('a certificate is renewed when it is time; revoked, it is refused within seconds, also on an open connection', async () => {
  const first = serialOf('web1');
  const early = run('hosts', 'renew', '--state', join(hosts, 'web1'));
  assert.match(early.stdout, /it is renewed from/);
  const renewed = run('hosts', 'renew', '--now', '--state', join(hosts, 'web1'));
  assert.equal(renewed.status, 0, renewed.stderr);
  assert.notEqual(serialOf('web1'), first);
  const socket = await dial('web1');
  assert.ok(socket.authorized);
  socket.write('<13>1 2026-05-12T03:00:00Z web1 try - - - before-the-revocation\n');
  await found('before-the-revocation');

  const closed = once(socket, 'close');
  const revoked = here('revoke', 'web1.example', '--reason', 'disk stolen', '--json');
  assert.equal(revoked.status, 0, revoked.stderr);
  assert.equal(JSON.parse(revoked.stdout).serials.length, 2, 'the renewed one, and the one before');
  await closed;
  const next = await dial('web1');
  if (!next.closed) await once(next, 'close');
  await found('app:holdfast kind=refusal cause="revoked certificate"');
  await found('app:holdfast kind=certificate-revoked reason="disk stolen"');
  assert.equal(run('hosts', 'renew', '--now', '--state', join(hosts, 'web1')).status, 3);
  const list = here('list').stdout;
  assert.match(list, /^web1\.example +revoked .*disk stolen$/m);
  assert.match(list, /^web2\.example +valid /m);
  assert.match(list, /^authority sha256:[0-9a-f]{64}/);
});

test('a sender of another make is certified here, by a key that is made for it, or that it has', () => {
  const bundle = join(hosts, 'bundle');
  const made = here('enrol', 'rsyslog1.example', '--out', bundle);
  assert.equal(made.status, 0, made.stderr);
  for (const name of ['client.key', 'client.crt', 'authority.crt'])
    assert.ok(existsSync(join(bundle, name)), name);
  const csr = join(hosts, 'switch.csr');
  spawnSync('openssl', [
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    join(hosts, 'switch.key'),
    '-subj',
    '/CN=what it calls itself',
    '-out',
    csr,
  ]);
  const signed = here('enrol', 'switch1.example', '--csr', csr);
  assert.equal(signed.status, 0, signed.stderr);
  const crt = join(hosts, 'switch.crt');
  writeFileSync(crt, signed.stdout);
  const shown = spawnSync('openssl', ['x509', '-noout', '-subject', '-ext', 'subjectAltName', '-in', crt], {
    encoding: 'utf8',
  });
  assert.match(shown.stdout, /subject=CN = switch1\.example/);
  assert.match(shown.stdout, /DNS:switch1\.example/);
  const bad = here('enrol', 'switch2.example', '--csr', crt);
  assert.equal(bad.status, 2);
});

test('without a token, or a file for it, nothing is sent', () => {
  const place = ['--server', '127.0.0.1:9', '--state', join(hosts, 'nobody')];
  const none = run('hosts', 'enrol', 'web6.example', ...place);
  assert.match(none.stderr, /say where the token is/);
  assert.equal(none.status, 2);
  const wrong = spawnSync(
    holdfast,
    [
      'hosts',
      'enrol',
      'web6.example',
      ...place,
      '--fingerprint',
      `sha256:${'0'.repeat(64)}`,
      '--token-file',
      '-',
    ],
    { input: 'secret-that-is-none\n', encoding: 'utf8' },
  );
  assert.equal(wrong.status, 2);
  assert.ok(!wrong.stderr.includes('secret-that-is-none'), 'it is not repeated');
});
