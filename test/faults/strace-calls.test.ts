import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { stateDirectory, type StateDirectory } from '#base/state';
import { createVault } from '#vault/append';
import { parseCheckpoint } from '#vault/checkpoint';
import { waitingFor } from '#vault/fsck';
import { verifyVault } from '#vault/verify';
import { connectOwn, type OwnClient } from '../../src/receive/testing/own-client.ts';
import { shuffled } from '../../src/vault/testing/fault-run.ts';
import { inMemory } from '../../src/vault/testing/test-vault.ts';
import { noStrace, startProcess, type Started, type Tracing } from '../harness/traced.ts';
import { full } from '../harness/up.ts';
import { vaultLines } from '../harness/vault-lines.ts';

/**
 * The real receiver and the real keeper, whose system calls on files strace makes fail: each call of the writing family,
 * each time that it is made, with EIO and with ENOSPC. The process goes on or dies; then both are started again without
 * strace, and the whole is looked at. All of it with HOLDFAST_TEST_FULL=1, else a sample; HOLDFAST_TEST_SEED for another.
 *
 * strace changes the result of a call that it keeps from being made. A call that fails although it was done ("failed, but
 * persisted") and a short write it cannot make: those are injected in-process (writer-faults.test.ts, keeper-calls.test.ts).
 */
const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? 1);
const sample = 12;
const atOnce = 6;

type Victim = 'receiver' | 'keeper';
type Fault = NonNullable<Tracing['fail']>;

/** What a process calls, by the names of one architecture or another. */
const writing: Readonly<Record<Victim, readonly string[]>> = {
  receiver:
    'openat fchmod writev pwrite64 fdatasync fsync ftruncate ?rename ?renameat ?unlink unlinkat'.split(' '),
  keeper: (
    'fchmod writev pwrite64 fdatasync fsync ftruncate ?rename ?renameat ?link linkat ?unlink unlinkat ' +
    '?mkdir mkdirat ?rmdir'
  ).split(' '),
};

/**
 * Some calls can be told from others' only by the file. libuv's thread also calls `write` to wake the main thread, and
 * the keeper's opens intake again and again to see what is new. The name of the receiver's file is known once it serves;
 * of the keeper's, all are known but that of the staging bundle, which has a root in it.
 */
const byFile: Readonly<Record<Victim, (state: StateDirectory) => Omit<Tracing, 'fail'>>> = {
  receiver: (state) => ({
    calls: ['write'],
    from: 'serving',
    paths: () =>
      readdirSync(state.intake)
        .filter((name) => name.endsWith('.intake'))
        .map((name) => join(state.intake, name)),
  }),
  keeper: (state) => ({
    calls: ['write', 'openat'],
    from: 'start',
    paths: (pid) => [
      join(state.keys, `tmp-${pid}-keys-lock`),
      join(state.vault, 'history', '000'),
      ...[
        'vault-checkpoint',
        ...first8((i) => `segment-${String(i).padStart(3, '0')}.zst`),
        ...first8((i) => `000.p-${i + 1}`),
      ].map((name) => join(state.vault, 'staging', `tmp-${pid}-${name}`)),
    ],
  }),
};

const tracingOf = (victim: Victim, call: string, state: StateDirectory): Omit<Tracing, 'fail'> =>
  writing[victim].includes(call) || writing[victim].includes(`?${call}`)
    ? { calls: writing[victim], from: 'start' }
    : byFile[victim](state);

const first8 = (name: (i: number) => string): string[] => Array.from({ length: 8 }, (_, i) => name(i));

type Both = { receiver: Started; keeper: Started };

const startBoth = async (
  state: StateDirectory,
  victim: Victim | null,
  tracing: Tracing | null,
): Promise<Both> => {
  const listen = [{ kind: 'syslog-tcp', host: '127.0.0.1', port: 0 }];
  const of = (name: Victim): Tracing | null => (name === victim ? tracing : null);
  const [receiver, keeper] = await Promise.all([
    startProcess(state, 'receiver', { listen }, of('receiver')),
    startProcess(state, 'keeper', {}, of('keeper')),
  ]);
  return { receiver, keeper };
};

const groups = 3;
const perGroup = 4;
const last = groups * perGroup;

/** Lines from `first` on, a group at a time, each acknowledged before the next if it ever is. @returns the highest acknowledged */
const sendOwn = async (
  state: StateDirectory,
  receiver: Started,
  first: number,
  isEnough: () => boolean,
): Promise<number> => {
  let client: OwnClient;
  try {
    client = await connectOwn(state.ownSocket, 'straced', 'numbers');
  } catch {
    return first - 1;
  }
  for (let number = first; number <= last && !receiver.isOver(); number += perGroup) {
    const to = Math.min(number + perGroup - 1, last);
    for (let i = number; i <= to; i += 1) client.send(i, `own #${i} ${'.'.repeat(i === last ? 6000 : 10)}`);
    const isSettled = (): boolean => client.acked >= to || client.socket.destroyed || receiver.isOver();
    await until(isSettled, isEnough);
    if (client.acked < to) break;
  }
  client.socket.destroy();
  return Math.max(first - 1, client.acked);
};

const sendPlain = async (receiver: Started, from: number): Promise<void> => {
  const port = Number(String(receiver.addresses['syslogTcp']).split(':').at(-1));
  if (!Number.isInteger(port)) return;
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket
      .on('error', () => undefined)
      .on('close', () => resolve())
      .resume();
    socket.end(
      Array.from(
        { length: perGroup },
        (_, i) => `<13>1 - h a - - - plain #${from + i} ${'.'.repeat(i === 0 ? 5000 : 5)}\n`,
      ).join(''),
    );
  });
};

const sizeOf = (state: StateDirectory): number =>
  parseCheckpoint(readFileSync(join(state.vault, 'checkpoint'))).size;

const isTaken = (state: StateDirectory): boolean => {
  const waiting = waitingFor(state);
  return waiting.kind === 'seen' && waiting.bytes === 0;
};

const until = async (holds: () => boolean, isEnough: () => boolean): Promise<void> => {
  while (!holds() && !isEnough()) await sleep(15);
};

/** A process that a call has failed may be about to die, or may wait for ever: it is awaited for so long. */
const afterFaultMs = 1200;

/** @param victim whose call is to fail; `null` where none is */
const patience = (victim: Started | null): (() => boolean) => {
  let end = performance.now() + 60_000;
  let hasFailed = victim === null;
  return () => {
    if (!hasFailed && victim?.trace().some(isInjected) === true) {
      hasFailed = true;
      end = performance.now() + afterFaultMs;
    }
    return performance.now() > end;
  };
};

const isInjected = (line: string): boolean => line.includes('(INJECTED)');

/** Two lives on one state directory, the first of them with a fault. @returns what strace saw of the first */
const twoLives = async (
  image: StateDirectory,
  victim: Victim,
  call: string,
  fail: Fault | null,
): Promise<string[]> => {
  const root = mkdtempSync(join(inMemory(), 'holdfast-strace-'));
  const state = stateDirectory(root);
  cpSync(image.root, root, { recursive: true });
  const started: Started[] = [];
  try {
    const tracing: Tracing = { ...tracingOf(victim, call, state), ...(fail === null ? {} : { fail }) };
    const first = await startBoth(state, victim, tracing);
    started.push(first.receiver, first.keeper);
    await sendPlain(first.receiver, 1);
    const isEnough = patience(fail === null ? null : first[victim]);
    const acknowledged = await sendOwn(state, first.receiver, 1, isEnough);
    // The restart entry, and the lines.
    await until(() => sizeOf(state) >= 2 || first.keeper.isOver(), isEnough);
    const receiverEnd = await first.receiver.stop();
    await first.keeper.stop();
    const trace = first[victim].trace();

    const second = await startBoth(state, null, null);
    started.push(second.receiver, second.keeper);
    for (const process of [second.receiver, second.keeper])
      assert.ok(!process.isOver(), `the next start works: ${process.stderr()}`);
    await sendPlain(second.receiver, perGroup + 1);
    assert.equal(
      await sendOwn(state, second.receiver, acknowledged + 1, patience(null)),
      last,
      'all is acknowledged in the end',
    );
    assert.equal(await second.receiver.stop(60_000), 0, second.receiver.stderr());
    // A keeper's stop has an end, also on a busy machine; what it has not taken by then is safe in intake.
    await until(() => isTaken(state) || second.keeper.isOver(), patience(null));
    assert.equal(await second.keeper.stop(60_000), 0, second.keeper.stderr());
    await check(state, acknowledged, receiverEnd === 0 ? 'whole' : 'may miss what was not read');
    return trace;
  } catch (error) {
    const said = started.map((process) => process.stderr()).join('\n--\n');
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
  } finally {
    for (const process of started) if (!process.isOver()) process.child.kill('SIGKILL');
    rmSync(root, { recursive: true });
  }
};

const check = async (
  state: StateDirectory,
  acknowledgedAtFirst: number,
  plainIsWhole: 'whole' | 'may miss what was not read',
): Promise<void> => {
  const vkey = readFileSync(state.vkeyFile, 'utf8').trim();
  const lines = vaultLines(state.vault, vkey);
  const own = lines.filter(({ listener }) => listener === 'own').map(({ sequence }) => sequence);
  for (let number = 1; number <= last; number += 1) {
    const times = own.filter((other) => other === number).length;
    assert.ok(times >= 1, `line ${number} is lost; ${acknowledgedAtFirst} were acknowledged before`);
    assert.ok(times <= (number <= acknowledgedAtFirst ? 1 : 2), `line ${number} is there ${times} times`);
  }
  const plain = lines
    .filter(({ listener }) => listener.startsWith('syslog-tcp'))
    .map(({ raw }) => Number(/plain #(\d+)/.exec(raw.toString())?.[1]));
  assert.equal(new Set(plain).size, plain.length, `plain lines twice: ${plain.join(' ')}`);
  if (plainIsWhole === 'whole') assert.equal(plain.length, 2 * perGroup, `plain lines: ${plain.join(' ')}`);
  const report = await verifyVault({ vault: state.vault, vkey, lock: join(state.keys, 'lock') });
  assert.deepEqual(report.problems, []);
};

const reason = noStrace();

describe('a system call of a real process fails', { skip: reason ?? false }, () => {
  let image: StateDirectory;
  before(() => {
    image = stateDirectory(mkdtempSync(join(inMemory(), 'holdfast-strace-')));
    mkdirSync(image.intake);
    mkdirSync(image.run);
    createVault({
      vault: image.vault,
      keys: image.keys,
      clock: systemClock(),
      origin: 'test.example/holdfast/0',
    });
  });
  after(() => rmSync(image.root, { recursive: true }));

  for (const victim of ['receiver', 'keeper'] as const) {
    it(
      `the ${victim}'s: it goes on or dies, and nothing that was acknowledged is lost or doubled`,
      { timeout: 400_000 },
      async (t) => {
        const counts = new Map<string, number>();
        for (const call of ['fsync', 'write'])
          for (const line of await twoLives(image, victim, call, null)) {
            const name = /^(\w+)\(/.exec(line)?.[1] ?? '';
            counts.set(name, (counts.get(name) ?? 0) + 1);
          }
        const faults = [...counts].flatMap(([call, times]) =>
          Array.from({ length: times }, (_, i) => i + 1).flatMap((nth) =>
            (['EIO', 'ENOSPC'] as const).map((error): Fault => ({ call, error, nth })),
          ),
        );
        const chosen = full ? faults : shuffled(faults, seed).slice(0, sample);
        const began = performance.now();
        const queue = [...chosen];
        let injected = 0;
        await Promise.all(
          Array.from({ length: atOnce }, async () => {
            for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
              const note = `${fault.call} ${fault.error} #${fault.nth}`;
              const trace = await twoLives(image, victim, fault.call, fault).catch((error: unknown) => {
                throw new Error(`${note}: ${error instanceof Error ? error.message : String(error)}`, {
                  cause: error,
                });
              });
              if (trace.some(isInjected)) injected += 1;
            }
          }),
        );
        t.diagnostic(
          `${injected} faults injected of ${chosen.length} chosen of ${faults.length} (${[...counts].map(([call, times]) => `${call} ${times}`).join(', ')}), ` +
            `seed ${seed}, ${Math.round((performance.now() - began) / 1000)} s`,
        );
        // How often a process polls differs from run to run, so the last occurrences may not come.
        assert.ok(injected >= chosen.length * 0.75, `only ${injected} of ${chosen.length} were injected`);
      },
    );
  }
});
