import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { after, before, test } from 'node:test';
import { holdfast, removeState, startUp, temporaryState, until, type RunningUp } from '../harness/up.ts';

/** What reads the log on the command line, through a pipe as scripts do, against a live Holdfast. */
const state = temporaryState();
let up: RunningUp;

before(async () => {
  up = await startUp(state);
});

after(async () => {
  await up.interrupt();
  removeState(state);
});

const send = async (lines: readonly (string | Buffer)[]): Promise<void> => {
  const socket = connect(up.syslogTcp(), '127.0.0.1');
  await once(socket, 'connect');
  for (const line of lines) socket.write(Buffer.concat([Buffer.from(line), Buffer.from('\n')]));
  socket.end();
  await once(socket, 'close');
};

const indexerPid = (): number => Number(/indexer +pid (\d+)/.exec(up.output())?.[1]);

type Follower = { process: ChildProcess; out(): string[]; err(): string };

const follow = (...args: readonly string[]): Follower => {
  const child = spawn(holdfast, ['logs', 'tail', '--state', state.root, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return { process: child, out: () => out.split('\n').slice(0, -1), err: () => err };
};

test('a tail outlives the indexer: it says so, and has every line once', async () => {
  await send(['<13>1 - h t - - - before']);
  await until('it is searchable', () =>
    spawnSync(holdfast, ['logs', 'search', '--state', state.root, '--raw', 'app:t'], {
      encoding: 'utf8',
    }).stdout.includes('before'),
  );
  const tail = follow('--raw', '--backlog', '5', 'app:t');
  try {
    await until('the backlog is there', () => tail.out().length === 1);
    const lines = Array.from({ length: 60 }, (_, at) => `<13>1 - h t - - - line ${at}`);
    await send(lines.slice(0, 20));
    await until('what came is shown', () => tail.out().length === 21);
    process.kill(indexerPid(), 'SIGKILL');
    await send(lines.slice(20, 40));
    await until('it says that it goes on', () => tail.err().includes('the indexer is back'));
    await send(lines.slice(40));
    await until('the rest is shown', () => tail.out().length >= 61);
    assert.deepEqual(tail.out(), ['<13>1 - h t - - - before', ...lines]);
    assert.match(tail.err(), /the indexer has ended/);
  } finally {
    tail.process.kill('SIGINT');
    await once(tail.process, 'exit');
  }
});

test('a file of the tree is printed byte for byte', async () => {
  const odd = Buffer.from('<13>1 - h odd/name - - - \x1b[31m \xff\x00 end', 'latin1');
  await send([odd, '<13>1 - h odd/name - - - second']);
  const read = (...args: readonly string[]): Buffer =>
    spawnSync(holdfast, ['logs', 'browse', '--state', state.root, ...args]).stdout;
  await until('both are in the tree', () => {
    const file = read('--json', 'today/h')
      .toString()
      .split('\n')
      .map((line): { path?: string; lines?: number } => JSON.parse(line || '{}'))
      .find(({ path }) => path?.endsWith('/h/odd/name') === true);
    return file?.lines === 2;
  });
  assert.ok(
    read('today/h/odd/name').equals(Buffer.concat([odd, Buffer.from('\n<13>1 - h odd/name - - - second\n')])),
  );
});

test('a search is saved under a name, by whom is known, and the name stands for it', async () => {
  const logs = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } => {
    const [verb = '', ...rest] = args;
    return spawnSync(holdfast, ['logs', verb, '--state', state.root, ...rest], { encoding: 'utf8' });
  };
  assert.equal(logs('saved', 'save', 'seconds', 'app:odd/name second OR app:nothing').status, 0);
  assert.equal(logs('search', '--raw', '@seconds', 'host:h').stdout, '<13>1 - h odd/name - - - second\n');
  await until('who saved it is in the log', () =>
    logs('saved', '--json').stdout.includes(`"by":"${userInfo().username}"`),
  );
  assert.equal(logs('saved', 'delete', 'seconds').status, 0);
  const unknown = logs('search', '@seconds');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /there is no saved search 'seconds'/);
  assert.equal(logs('search', '"@seconds"').status, 0);
});
