import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StateDirectory } from '#base/state';
import { fileWriter } from '../harness/file-writer.ts';
import { numberedSender } from '../harness/numbered-sender.ts';
import { tcpSender } from '../harness/tcp-sender.ts';
import {
  alive,
  full,
  removeState,
  run,
  search,
  startUp,
  temporaryState,
  until,
  type RunningUp,
} from '../harness/up.ts';
import { assertSameWhenMadeAnew } from './made-anew.ts';

/** A small generator with a seed (mulberry32), so that a failing run can be repeated: HOLDFAST_SEED=… */
const random = (seed: number): (() => number) => {
  let at = seed;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

type Victim =
  'receiver' | 'keeper' | 'indexer' | 'console' | 'agent' | 'all children' | 'supervisor' | 'everything';

/** `npm run test:full` kills 130 times, `npm test` 22 times. */
const rounds: readonly {
  name: string;
  kills: number;
  victims: readonly Victim[];
  streamIsWhole: 'whole' | 'may miss what the receiver had not read';
}[] = [
  {
    name: 'any process, all of them, and the supervisor',
    kills: full ? 100 : 15,
    victims: [
      'receiver',
      'keeper',
      'indexer',
      'console',
      'agent',
      'all children',
      'supervisor',
      'everything',
    ],
    streamIsWhole: 'may miss what the receiver had not read',
  },
  {
    name: 'any process but the receiver',
    kills: full ? 30 : 7,
    victims: ['keeper', 'indexer', 'console', 'agent'],
    streamIsWhole: 'whole',
  },
];

for (const round of rounds) {
  test(
    `kill -9 of ${round.name}, ${round.kills} times at random instants under load: nothing acknowledged is lost, nothing is there twice, and an index made anew answers the same`,
    { timeout: 20 * 60_000 },
    (context) => killing(context, round),
  );
}

const killing = async (
  context: TestContext,
  { kills, victims, streamIsWhole }: (typeof rounds)[number],
): Promise<void> => {
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  context.diagnostic(`HOLDFAST_SEED=${seed}`);
  const next = random(seed);
  const isRoot = process.getuid?.() === 0;
  const state = temporaryState();
  let up: RunningUp = await startUp(state, isRoot ? [] : ['--no-agent']);
  const chosen = victims.filter((victim) => isRoot || victim !== 'agent');
  const numbered = numberedSender(state.ownSocket, 'killtest-numbered');
  const stream = tcpSender(() => up.syslogTcp(), 'killtest-stream');
  // Only root may put a file where the agent looks.
  const file = isRoot ? fileWriter(`/var/log/killtest-${process.pid}.log`, 'killtest-file') : null;
  try {
    for (let i = 0; i < kills; i += 1) {
      await sleep(next() * 500);
      const victim = chosen[Math.floor(next() * chosen.length)] ?? 'keeper';
      up = await killAndWait(up, state, victim, isRoot);
    }
    const acknowledged = await numbered.finish();
    const streamed = await stream.finish();
    const written = file?.finish() ?? 0;
    await until('the index has taken in everything', () =>
      caughtUp(state, {
        'killtest-numbered': acknowledged,
        'killtest-file': written,
        // Where it may miss some, nobody knows how many will come.
        'killtest-stream': streamIsWhole === 'whole' ? streamed : 1,
      }),
    );

    assertEach('acknowledged line', numbersOf(state, 'killtest-numbered'), acknowledged);
    if (file !== null) assertEach('line of the log file', numbersOf(state, 'killtest-file'), written);
    const found = numbersOf(state, 'killtest-stream');
    if (streamIsWhole === 'whole') assertEach('line of the plain TCP sender', found, streamed);
    else {
      assert.equal(new Set(found).size, found.length, 'no line of the plain TCP sender is there twice');
      assert.ok(found.length > 0);
    }
    context.diagnostic(
      `${acknowledged} acknowledged lines, ${written} of a log file, ${found.length} of ${streamed} over plain TCP`,
    );

    const verify = run('vault', 'verify', '--state', state.root);
    assert.equal(verify.status, 0, verify.stdout + verify.stderr);

    const started = performance.now();
    const compared = await assertSameWhenMadeAnew(state, ['', 'killtest-numbered', 'app:holdfast']);
    context.diagnostic(
      `${compared} lines of answers are the same from an index made anew, within ${Math.round(performance.now() - started)} ms`,
    );
  } finally {
    numbered.abort();
    stream.abort();
    file?.remove();
    await up.interrupt();
    removeState(state);
  }
};

/** Kills, then waits until all serve again; starts anew, at once, where the supervisor is gone. */
const killAndWait = async (
  up: RunningUp,
  state: StateDirectory,
  victim: Victim,
  agent: boolean,
): Promise<RunningUp> => {
  const { processes, supervisorPid } = up.ready();
  const children = Object.values(processes).map(({ pid }) => pid);
  const pids =
    victim === 'supervisor'
      ? [supervisorPid]
      : victim === 'everything'
        ? [supervisorPid, ...children]
        : victim === 'all children'
          ? children
          : [processes[victim]?.pid ?? 0];
  for (const pid of pids) killHard(pid);
  if (pids.includes(supervisorPid)) return startUp(state, agent ? [] : ['--no-agent']);
  const names = agent ? 6 : 5;
  await until(`${victim} is back`, () => {
    const now = Object.values(up.ready().processes).map(({ pid }) => pid);
    return now.length === names && now.every((pid) => !pids.includes(pid) && alive(pid));
  });
  return up;
};

const killHard = (pid: number): void => {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // it had ended already
  }
};

const numbersOf = (state: StateDirectory, token: string): number[] =>
  search(state, token, 100_000).hits.map(({ message }) => Number(/#(\d+)/.exec(message)?.[1]));

/** Each number from 1 to `last` is there, once. */
const assertEach = (what: string, found: readonly number[], last: number): void => {
  const present = new Set(found);
  assert.equal(present.size, found.length, `no ${what} is there twice`);
  const lost = Array.from({ length: last }, (_, i) => i + 1).filter((number) => !present.has(number));
  assert.deepEqual(lost, [], `no ${what} is lost`);
};

const caughtUp = (state: StateDirectory, wanted: Readonly<Record<string, number>>): boolean => {
  try {
    return Object.entries(wanted).every(([token, count]) => {
      const { answer } = search(state, token, 0);
      return answer.count >= count && answer.integrity.indexed === answer.integrity.committed;
    });
  } catch {
    return false;
  }
};
