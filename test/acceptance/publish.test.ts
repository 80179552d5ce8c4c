import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatWitnessVkey, openCheckpoint, parseHistory, parseVkey } from '#vault/checkpoint';
import { verifyConsistency } from '#vault/tree';
import { alive, holdfast, removeState, run, search, startUp, temporaryState, until } from '../harness/up.ts';

/** curl(1), as anybody would use it. */
const curl = (...args: readonly string[]): { status: string; body: Buffer } => {
  const { stdout } = spawnSync(
    'curl',
    ['--silent', '--max-time', '10', '--write-out', '%{stderr}%{http_code}', ...args],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const code = spawnSync('curl', [
    '--silent',
    '--max-time',
    '10',
    '--output',
    '/dev/null',
    '--write-out',
    '%{http_code}',
    ...args,
  ]);
  return { status: code.stdout.toString(), body: stdout };
};

test('holdfast up --publish: a stranger follows the log as it grows, and never gets a line', async () => {
  const state = temporaryState();
  const up = await startUp(state, ['--no-agent', '--publish', '127.0.0.1:0']);
  try {
    const { publisher, vkey } = up.ready();
    assert.match(publisher ?? '', /^127\.0\.0\.1:\d+$/);
    await until('it says where it publishes', () => up.output().includes(`http://${publisher}`));
    const base = `http://${publisher}`;
    const fetched = async (target: string): Promise<Buffer> => {
      const response = await fetch(`${base}${target}`);
      assert.equal(response.status, 200, target);
      return Buffer.from(await response.arrayBuffer());
    };
    const key = parseVkey(vkey);
    assert.equal((await fetched('/vkey')).toString().trim(), vkey);
    const first = openCheckpoint(await fetched('/checkpoint'), key);
    for (let i = 0; i < 5; i++) {
      spawnSync('logger', [
        '--udp',
        '--server',
        '127.0.0.1',
        '--port',
        String(up.syslogUdp()),
        `a line that stays here ${i}`,
      ]);
      await sleep(300);
    }
    await until('the lines are in the log', () => search(state, 'stays').hits.length === 5);
    const last = openCheckpoint(await fetched('/checkpoint'), key);
    assert.ok(last.size > first.size);
    const path = (await fetched(`/proof/consistency?from=${first.size}&to=${last.size}`))
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => Buffer.from(line, 'base64'));
    assert.ok(
      verifyConsistency({
        size1: first.size,
        size2: last.size,
        root1: first.root,
        root2: last.root,
        path,
      }),
    );
    for (const note of parseHistory(await fetched('/history/000')).notes) openCheckpoint(note, key);

    const segments = readdirSync(join(state.vault, 'segment'), { recursive: true }).map(String);
    assert.ok(segments.some((name) => name.endsWith('.zst')));
    for (const name of segments) assert.equal((await fetch(`${base}/segment/${name}`)).status, 404, name);
    for (const target of ['/../keys/signer.key', '/keys/signer.key', '/tile/0/..%2f..%2f..%2fkeys/lock'])
      assert.equal(curl('--path-as-is', `${base}${target}`).status, '404', target);

    // The unix socket is there as well, and serves the same.
    const overUnix = curl('--unix-socket', state.publishSocket, 'http://publisher/vkey');
    assert.equal(overUnix.status, '200');
    assert.equal(overUnix.body.toString().trim(), vkey);
    if (process.getuid?.() === 0) {
      assert.equal(statSync(state.publishSocket).uid, 61706);
      assert.equal(
        readlinkSync(`/proc/${up.ready().processes['publisher']?.pid}/ns/net`),
        readlinkSync('/proc/self/ns/net'),
      );
    }

    // It is started again when it dies, and the log never notices.
    const pid = up.ready().processes['publisher']?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await until('it is started again', async () => {
      const again = up.ready().processes['publisher']?.pid;
      return (
        again !== undefined &&
        again !== pid &&
        curl('--unix-socket', state.publishSocket, 'http://publisher/checkpoint').status === '200'
      );
    });
  } finally {
    const { publisher } = up.ready().processes;
    const { status } = await up.interrupt();
    assert.equal(status, 0);
    assert.equal(alive(publisher?.pid ?? 0), false);
    assert.equal(existsSync(state.readyFile), false);
    removeState(state);
  }
});

test('a note that a witness hands in is in the log, and can be searched', async () => {
  const state = temporaryState();
  const up = await startUp(state);
  try {
    assert.equal(up.ready().publisher, null, 'nothing over TCP unless it is asked for');
    await until('it says that it serves', () => up.output().includes('lets witnesses on this machine'));
    const { body } = curl('--unix-socket', state.publishSocket, 'http://publisher/checkpoint');
    const cosigned = `${body.toString()}— w.example/1 ${Buffer.alloc(76, 9).toString('base64')}\n`;
    const answer = spawnSync(
      'curl',
      [
        '--silent',
        '--unix-socket',
        state.publishSocket,
        '--data-binary',
        '@-',
        'http://publisher/cosignature',
      ],
      { input: cosigned, encoding: 'utf8' },
    );
    assert.match(answer.stdout, /^taken/);
    await until('it is in the log', () => search(state, 'app:holdfast kind=cosignature').hits.length === 1);
    const [hit] = search(state, 'app:holdfast kind=cosignature').hits;
    const line = JSON.parse(Buffer.from(hit?.raw ?? '', 'base64').toString());
    assert.equal(line.note, cosigned);
    assert.equal(line.witness, 'w.example/1');
    assert.equal(run('vault', 'verify', '--state', state.root).status, 0);
  } finally {
    await up.interrupt();
    removeState(state);
  }
});

test('a configuration that cannot be meant is refused before anything starts', () => {
  const state = temporaryState();
  try {
    const key = formatWitnessVkey('w.example/1', generateKeyPairSync('ed25519').publicKey);
    const tried: readonly [string[], RegExp][] = [
      [['--publish', 'nowhere'], /--publish: 'nowhere' is not HOST:PORT/],
      [['--witness', 'w.example'], /--witness: 'w\.example' is not VKEY/],
      [['--witness', key, '--witness-quorum', '2'], /--witness-quorum: '2'/],
      [['--witness-quorum', '1'], /there is no witness/],
    ];
    for (const [args, message] of tried) {
      const { status, stderr } = spawnSync(holdfast, ['up', '--state', state.root, ...args], {
        encoding: 'utf8',
      });
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
    assert.deepEqual(readdirSync(state.root), []);
  } finally {
    removeState(state);
  }
});

test('witnesses that are configured reach the processes that are to count them', async () => {
  const state = temporaryState();
  const keys = ['a.example', 'b.example'].map((name) =>
    formatWitnessVkey(name, generateKeyPairSync('ed25519').publicKey),
  );
  const up = await startUp(state, [
    '--no-agent',
    ...keys.flatMap((key) => ['--witness', `${key}=https://${key.split('+')[0]}`]),
  ]);
  try {
    const configOf = (name: string) =>
      JSON.parse(
        readFileSync(`/proc/${up.ready().processes[name]?.pid}/cmdline`, 'utf8').split('\0').at(-2) ?? '',
      );
    assert.deepEqual(configOf('keeper').witnesses, { quorum: 2, vkeys: keys });
    assert.deepEqual(configOf('publisher').witnesses, keys);
  } finally {
    await up.interrupt();
    removeState(state);
  }
});
