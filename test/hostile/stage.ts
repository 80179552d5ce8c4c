import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { StateDirectory } from '#base/state';
import type { ListenerKind, TlsFiles } from '#wire/listen';
import { prepareState, spawnReceiver, type ChildReceiver } from '../../src/receive/testing/receiver.ts';
import { linesOf, readStored, type StoredDelivery } from '../../src/receive/testing/stored.ts';

/** What docs/threat-model.md says of the receiver's memory, whatever strangers do. */
export const memoryBound = 400 * 1024 * 1024;

/** No well-behaved sender waits longer for its answer, whatever others do: generous, for machines that are busy. */
export const longestWait = 30_000;

export type Stage = {
  state: StateDirectory;
  receiver: ChildReceiver;
  port(name: string): number;
  /** Runs an attack; says how the receiver and the companion fared, and fails where they did not. */
  attack(name: string, work: () => Promise<string>): Promise<void>;
  /** Ends the receiver in order, so that everything it has is durable. */
  stop(): Promise<void>;
  stored(): StoredDelivery[];
  /** What the ledger counted of this cause. */
  counted(cause: string): number;
};

const kinds: readonly ListenerKind[] = ['syslog-tcp', 'syslog-udp', 'relp', 'gelf-tcp', 'gelf-udp', 'http'];

/** A receiver in a process of its own, with a well-behaved sender at it. */
export const setStage = async (
  t: TestContext,
  more: { prefix?: string[]; tls?: TlsFiles } = {},
): Promise<Stage> => {
  const state = prepareState(t);
  const receiver = await spawnReceiver(t, state, {
    kinds: more.tls === undefined ? kinds : [...kinds, 'syslog-tls'],
    ...more,
  });
  const port = (name: string): number => Number(/:(\d+)$/.exec(receiver.addresses[name] ?? '')?.[1]);
  const companion = new Worker(new URL('./companion.ts', import.meta.url), {
    workerData: { port: port('relp'), host: '127.0.0.1', from: '127.0.0.9' },
  });
  t.after(() => companion.terminate());
  assert.deepEqual(await once(companion, 'message'), ['ready']);

  const ask = async (): Promise<number[]> => {
    companion.postMessage('how was it?', []);
    const [said] = await once(companion, 'message');
    return z.object({ waits: z.array(z.number()), sent: z.number() }).parse(said).waits;
  };

  return {
    state,
    receiver,
    port,
    async attack(name, work) {
      await ask();
      const what = await work();
      const waits = (await ask()).toSorted((a, b) => a - b);
      const at = (share: number): number => waits[Math.floor(share * (waits.length - 1))] ?? 0;
      const { resident, peak } = memoryOf(receiver.child.pid ?? 0);
      t.diagnostic(
        `${name}: ${what}; another sender waited p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, at most ${at(1).toFixed(1)} ms ` +
          `(${waits.length} messages); receiver ${mib(resident)} MiB, peak ${mib(peak)} MiB`,
      );
      assert.equal(receiver.child.exitCode, null, `the receiver died: ${receiver.stderr().slice(-2000)}`);
      assert.ok(waits.length > 1, 'the other sender was starved');
      assert.ok(at(1) < longestWait, 'the other sender was starved');
      assert.ok(peak < memoryBound, `${mib(peak)} MiB is more than the bound of ${mib(memoryBound)} MiB`);
    },
    async stop() {
      receiver.child.stdin?.end();
      assert.equal(String(await receiver.exited), '0', receiver.stderr().slice(-2000));
    },
    stored: () => readStored(state.intake).deliveries,
    counted: (cause) =>
      readStored(state.intake)
        .deliveries.filter(({ listener }) => listener === 'receiver')
        .flatMap(linesOf)
        .map(({ raw }) => JSON.parse(raw.toString('utf8')))
        .filter((line) => line.cause === cause)
        .reduce((sum, { count }) => sum + count, 0),
  };
};

const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024);

/** proc_pid_status(5) */
const memoryOf = (pid: number): { resident: number; peak: number } => {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return { resident: kib('VmRSS') * 1024, peak: kib('VmHWM') * 1024 };
};

/** Waits, long enough for a machine that others use too. */
export const eventually = async (look: () => boolean, what: string, forMs = 60_000): Promise<void> => {
  for (const end = Date.now() + forMs; !look();) {
    assert.ok(Date.now() < end, `in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** A connection that takes whatever is done to it, from one of this host's many addresses. */
export const stranger = (port: number, from = '127.0.0.1'): Socket => {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => undefined);
  socket.resume();
  return socket;
};

/** It is connected, or will never be. */
export const settled = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', () => resolve());
  });

export const closed = async (socket: Socket): Promise<void> => {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
};

/** Writes, and waits where the other side does not read. */
export const put = async (socket: Socket, bytes: Buffer): Promise<void> => {
  if (socket.destroyed || socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      socket.off('drain', go);
      socket.off('close', go);
      resolve();
    };
    socket.on('drain', go);
    socket.on('close', go);
  });
};
