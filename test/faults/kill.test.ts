import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  full,
  removeState,
  run,
  search,
  startUp,
  temporaryState,
  until,
  type RunningUp,
} from '../harness/up.ts';
import { numberedSender } from '../harness/numbered-sender.ts';
import { tcpSender } from '../harness/tcp-sender.ts';

const kills = full ? 120 : 16;
const victims = ['receiver', 'keeper', 'indexer', 'console', 'all', 'supervisor'] as const;

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

test(
  `kill -9 at ${kills} random instants under load loses nothing acknowledged and duplicates nothing`,
  { timeout: 15 * 60_000 },
  async (context) => {
    const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    context.diagnostic(`HOLDFAST_SEED=${seed}`);
    const next = random(seed);
    const state = temporaryState();
    let up: RunningUp = await startUp(state);
    const numbered = numberedSender(state.ownSocket, 'killtest-numbered');
    const stream = tcpSender(() => up.syslogTcp(), 'killtest-stream');
    const receiverKills: number[] = [];
    try {
      for (let i = 0; i < kills; i += 1) {
        await sleep(next() * 500);
        const victim = victims[Math.floor(next() * victims.length)] ?? 'all';
        const processes = up.ready().processes;
        const pids =
          victim === 'supervisor'
            ? [up.ready().supervisorPid]
            : victim === 'all'
              ? Object.values(processes).map(({ pid }) => pid)
              : [processes[victim]?.pid ?? 0];
        if (victim === 'supervisor' || victim === 'all' || victim === 'receiver')
          receiverKills.push(stream.sent());
        for (const pid of pids) if (pid > 0) killHard(pid);
        if (victim === 'supervisor') {
          await until(
            'the children have ended with their supervisor',
            () => Object.values(processes).every(({ pid }) => !isRunning(pid)),
            15_000,
          );
          up = await startUp(state);
        } else {
          await until(
            `${victim} is back`,
            () => {
              const now = up.ready().processes;
              return Object.keys(processes).every(
                (name) =>
                  now[name] !== undefined &&
                  (!pids.includes(processes[name]?.pid ?? 0) || now[name].pid !== processes[name]?.pid),
              );
            },
            20_000,
          );
        }
      }
      const acknowledged = await numbered.finish();
      const streamed = await stream.finish();
      await until('the index has taken in everything', () => caughtUp(state, acknowledged), 60_000);

      const hits = search(state, 'killtest-numbered', 100_000).hits.map(({ message }) => message);
      assert.equal(new Set(hits).size, hits.length, 'no acknowledged line is shown twice');
      const found = new Set(hits.map((message) => Number(/#(\d+)/.exec(message)?.[1])));
      const lost = Array.from({ length: acknowledged }, (_, i) => i + 1).filter(
        (number) => !found.has(number),
      );
      assert.deepEqual(lost, [], 'no acknowledged line is lost');

      const lines = search(state, 'killtest-stream', 100_000).hits.map(({ message }) => message);
      assert.equal(new Set(lines).size, lines.length, 'no line of the plain TCP sender is shown twice');
      assert.ok(lines.length <= streamed && lines.length > 0);
      context.diagnostic(
        `${acknowledged} acknowledged lines; ${lines.length} of ${streamed} sent over plain TCP, with ${receiverKills.length} kills of the receiver`,
      );

      const verify = run('vault', 'verify', '--state', state.root);
      assert.equal(verify.status, 0, verify.stdout + verify.stderr);
    } finally {
      numbered.abort();
      stream.abort();
      await up.interrupt();
      removeState(state);
    }
  },
);

const killHard = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it had ended already
  }
};

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const caughtUp = (state: RunningUp['state'], acknowledged: number): boolean => {
  try {
    const { answer } = search(state, 'killtest-numbered', 0);
    return answer.count >= acknowledged && answer.integrity.indexed === answer.integrity.committed;
  } catch {
    return false;
  }
};
