import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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

const state = temporaryState();
let up: RunningUp;

before(async () => {
  up = await startUp(state);
});

after(async () => {
  await up.interrupt();
  removeState(state);
});

const logger = (...args: string[]): void => {
  const { status, stderr } = spawnSync('logger', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
};

const ways = {
  'RFC 5424 over UDP': () => ['--udp', '--port', String(up.syslogUdp()), '--rfc5424'],
  'RFC 3164 over UDP': () => ['--udp', '--port', String(up.syslogUdp()), '--rfc3164'],
  'RFC 5424 over TCP, newline': () => ['--tcp', '--port', String(up.syslogTcp()), '--rfc5424'],
  'RFC 5424 over TCP, octet-counted': () => [
    '--tcp',
    '--port',
    String(up.syslogTcp()),
    '--octet-count',
    '--rfc5424',
  ],
};

for (const [name, args] of Object.entries(ways)) {
  test(`a line of util-linux logger, ${name}, is found within two seconds`, async () => {
    let token = '';
    let waited = Infinity;
    // Others may have the machine for a moment: then another line is tried.
    for (let tries = 0; waited >= 2000 && tries < 3; tries += 1) {
      token = `logger${Math.random().toString(36).slice(2)}`;
      logger(
        '--server',
        '127.0.0.1',
        ...args(),
        '--priority',
        'auth.warning',
        '--tag',
        'acceptance',
        `the token is ${token}`,
      );
      waited = await until('the line is found', () => search(state, token).hits.length > 0);
    }
    const [hit, ...more] = search(state, token).hits;
    assert.equal(more.length, 0);
    assert.ok(waited < 2000, `found after ${waited} ms`);
    assert.equal(hit?.app, 'acceptance');
    assert.equal(hit?.severity, 'warning');
    assert.equal(hit?.facility, 'auth');
    assert.match(hit?.message ?? '', new RegExp(`the token is ${token}$`));
    assert.match(hit?.address ?? '', /^\d+:\d+$/);
  });
}

test('raw bytes come back exactly: invalid UTF-8, NUL, control bytes; on a terminal they are escaped', async () => {
  const raw = Buffer.concat([
    Buffer.from('<13>1 2026-05-12T03:00:00Z host exact - - - exactbytes '),
    Buffer.from([0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0xff, 0xfe, 0xc3, 0x28, 0x0a, 0x07, 0x7f]),
    Buffer.from(' end'),
  ]);
  const socket = connect(up.syslogTcp(), '127.0.0.1');
  socket.end(Buffer.concat([Buffer.from(`${raw.length} `), raw]));
  await once(socket, 'close');
  await until('the line is found', () => search(state, 'exactbytes').hits.length > 0);
  const [hit] = search(state, 'exactbytes').hits;
  assert.deepEqual(Buffer.from(hit?.raw ?? '', 'base64'), raw);
  const shown = run('logs', 'search', '--state', state.root, 'exactbytes').stdout;
  assert.equal(shown.includes('\x1b'), false);
  assert.equal(shown.trimEnd().includes('\n'), false);
  assert.match(shown, /exactbytes \\x00\\x1b\[31m\\xff/);
});

test('tail shows a line within two seconds of its sending', async () => {
  const tail = spawn(holdfast, ['logs', 'tail', '--state', state.root, '--lines', '0', 'tailtoken'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: tail.stdout });
    const send = (text: string): void =>
      logger('--server', '127.0.0.1', '--udp', '--port', String(up.syslogUdp()), `tailtoken ${text}`);
    const resend = setInterval(() => send('first'), 300);
    await once(lines, 'line');
    clearInterval(resend);
    const isSoonShown = async (text: string): Promise<boolean> => {
      const shown = new Promise<boolean>((resolve) =>
        lines.on('line', (line) => line.includes(text) && resolve(true)),
      );
      send(text);
      return Promise.race([shown, sleep(2000, false)]);
    };
    // Others may have the machine for a moment: then another line is tried.
    let tried = 0;
    while (!(await isSoonShown(`number ${tried}`))) assert.ok((tried += 1) < 3, 'within two seconds');
  } finally {
    tail.kill('SIGKILL');
  }
});

test('the vault verifies while it is live', () => {
  const { status, stdout, stderr } = run('vault', 'verify', '--state', state.root);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^unaltered up to the checkpoint: \d+ lines/);
});

test('a second up on a live state exits 2 and leaves the first alone', () => {
  const { status, stderr } = run(
    'up',
    '--state',
    state.root,
    '--console',
    '127.0.0.1:0',
    '--listen',
    'syslog-tcp=127.0.0.1:0',
  );
  assert.equal(status, 2);
  assert.match(stderr, /already running/);
  assert.ok(alive(up.ready().processes['keeper']?.pid ?? 0));
});

test('a mistake in a query is shown with a caret, and exits 2', () => {
  const { status, stderr } = run('logs', 'search', '--state', state.root, 'severity:banana');
  assert.equal(status, 2);
  assert.match(stderr, /\^/);
});

test('Ctrl-C ends everything within five seconds; the next start goes on with nothing lost and nothing twice', async () => {
  logger('--server', '127.0.0.1', '--udp', '--port', String(up.syslogUdp()), 'resumetoken one');
  await until('the line is found', () => search(state, 'resumetoken').hits.length === 1);
  const socket = connect(up.syslogTcp(), '127.0.0.1');
  socket.end('<13>1 - - - - - - resumetoken two\n');
  await once(socket, 'close');
  const pids = Object.values(up.ready().processes).map(({ pid }) => pid);
  const { status, milliseconds } = await up.interrupt();
  assert.equal(status, 0);
  assert.deepEqual(pids.filter(alive), []);
  const took = [milliseconds];
  // Others may have the machine for a moment.
  while (Math.min(...took) >= 5000 && took.length < 3) {
    up = await startUp(state);
    took.push((await up.interrupt()).milliseconds);
  }
  assert.ok(Math.min(...took) < 5000, `took ${took.join()} ms`);
  assert.equal(run('vault', 'verify', '--state', state.root).status, 0);
  up = await startUp(state);
  await until('both lines are found', () => search(state, 'resumetoken').hits.length >= 2);
  assert.equal(search(state, 'resumetoken').hits.length, 2);
});
