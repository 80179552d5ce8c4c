import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  holdfast,
  removeState,
  root,
  search,
  startUp,
  temporaryState,
  until,
  type RunningUp,
} from '../harness/up.ts';

const needsRoot = process.getuid?.() === 0 ? false : 'only root can become another user and mount';

/** A line that is sent is found; then it ends in order. */
const works = async (up: RunningUp): Promise<void> => {
  try {
    const sent = spawnSync('logger', [
      '--server',
      '127.0.0.1',
      '--udp',
      '--port',
      String(up.syslogUdp()),
      'anywheretoken',
    ]);
    assert.equal(sent.status, 0);
    await until('the line is found', () => search(up.state, 'anywheretoken').hits.length === 1);
  } finally {
    const { status } = await up.interrupt();
    assert.equal(status, 0);
  }
};

test(
  'an ordinary user can run it, with the agent, and is told what may not be seen',
  { skip: needsRoot },
  async () => {
    const state = temporaryState();
    chownSync(state.root, 65534, 65534);
    const asNobody = [
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--inh-caps=-all',
      '--bounding-set=-all',
      holdfast,
    ];
    try {
      const up = await startUp(state, [], asNobody);
      await until('it says so', () => up.output().includes('without root every process runs as you'));
      assert.deepEqual(new Set(Object.values(up.ready().processes).map(({ uid }) => uid)), new Set([65534]));
      await works(up);
    } finally {
      removeState(state);
    }
  },
);

test(
  'a clone that others may not read (below /root, say) works for the unprivileged processes',
  { skip: needsRoot },
  async (context) => {
    if (spawnSync('unshare', ['--mount', '--propagation', 'slave', 'true']).status !== 0)
      return context.skip('this machine lets root make no mount namespaces');
    const state = temporaryState();
    const closed = mkdtempSync(join(tmpdir(), 'holdfast-closed-'));
    chmodSync(closed, 0o700);
    const clone = join(closed, 'clone');
    mkdirSync(clone);
    const inClosed = [
      'unshare',
      '--mount',
      'sh',
      '-c',
      `mount --bind '${root}' '${clone}' && exec '${clone}/bin/holdfast' "$@"`,
      'sh',
    ];
    try {
      await works(await startUp(state, ['--no-agent'], inClosed));
    } finally {
      removeState(state);
      rmdirSync(clone); // only if it is empty: never through a mount that stayed
      rmSync(closed, { recursive: true, force: true });
    }
    return undefined;
  },
);

test(
  'a state directory that the processes could not reach is refused with what to do',
  { skip: needsRoot },
  () => {
    const closed = mkdtempSync(join(tmpdir(), 'holdfast-closed-'));
    try {
      const { status, stderr } = spawnSync(
        holdfast,
        ['up', '--state', join(closed, 'state'), '--console', '127.0.0.1:0'],
        { encoding: 'utf8' },
      );
      assert.equal(status, 2);
      assert.match(stderr, /closed to others/);
    } finally {
      rmSync(closed, { recursive: true, force: true });
    }
  },
);

test('an address that is in use is named, and exits 2', async () => {
  const state = temporaryState();
  const other = temporaryState();
  try {
    const up = await startUp(state);
    const { status, stderr } = spawnSync(
      holdfast,
      [
        'up',
        '--state',
        other.root,
        '--no-agent',
        '--console',
        '127.0.0.1:0',
        '--listen',
        `syslog-tcp=127.0.0.1:${up.syslogTcp()}`,
      ],
      { encoding: 'utf8' },
    );
    await up.interrupt();
    assert.equal(status, 2);
    assert.match(stderr, /cannot listen on 127\.0\.0\.1:\d+: another process has this address/);
  } finally {
    removeState(state);
    removeState(other);
  }
});

test('it goes on where what it prints cannot be written', async (t) => {
  const state = temporaryState();
  t.after(() => removeState(state));
  const up = spawn(
    'sh',
    [
      '-c',
      'exec "$0" "$@" > /dev/full',
      holdfast,
      'up',
      '--no-agent',
      '--console',
      '127.0.0.1:0',
      '--listen',
      'syslog-udp=127.0.0.1:0',
      '--state',
      state.root,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  up.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until('it has tried to print', () => said.includes('could not be written'));
  await sleep(500);
  assert.equal(up.exitCode, null, said);
  up.kill('SIGINT');
  const [status] = await once(up, 'exit');
  assert.equal(status, 0, said);
});
