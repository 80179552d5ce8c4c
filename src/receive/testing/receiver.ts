import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import { stateDirectory, type StateDirectory } from '#base/state';
import type { Allowed, ListenOn, ListenerKind, TlsFiles } from '#wire/listen';
import { startReceiver, type CertificateHandler, type ReceiveLimits, type Receiver } from '../index.ts';
import { linesOf, readStored, type StoredDelivery } from './stored.ts';

/** A state directory as the supervisor prepares it, removed after the test. */
export const prepareState = (t: TestContext): StateDirectory => {
  const state = stateDirectory(mkdtempSync(join(tmpdir(), 'receive-')));
  t.after(() => rmSync(state.root, { recursive: true }));
  mkdirSync(state.intake);
  mkdirSync(state.run);
  return state;
};

export type Started = {
  state: StateDirectory;
  receiver: Receiver;
  /** What the receiver logged about itself. */
  logged: string[];
  /** Stops it once; the test may do so itself. */
  stop(): Promise<void>;
  port(name: string): number;
  stored(): StoredDelivery[];
  /** Lines as text, of deliveries that came in at listeners whose name begins so. */
  lines(listener: string): string[];
};

export const start = async (
  t: TestContext,
  kinds: readonly ListenerKind[],
  limits: Partial<ReceiveLimits> = {},
  host = '127.0.0.1',
  prepare: (state: StateDirectory) => void = () => undefined,
  who: { allowed?: Allowed; tls?: TlsFiles; certificates?: CertificateHandler } = {},
): Promise<Started> => {
  const state = prepareState(t);
  prepare(state);
  const logged: string[] = [];
  const receiver = await startReceiver({
    state,
    listen: kinds.map((kind) => ({ kind, host, port: 0 })),
    clock: systemClock(),
    log: (severity, message) => logged.push(`${severity}: ${message}`),
    onFault(error) {
      throw error;
    },
    limits,
    ...who,
  });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopped ??= receiver.stop());
  t.after(stop);
  const stored = (): StoredDelivery[] => readStored(state.intake).deliveries;
  return {
    state,
    receiver,
    logged,
    stop,
    port: (name) => Number(/:(\d+)$/.exec(receiver.addresses[name] ?? '')?.[1]),
    stored,
    lines: (listener) =>
      stored()
        .filter((delivery) => delivery.listener.startsWith(listener))
        .flatMap(linesOf)
        .map(({ raw }) => raw.toString('latin1')),
  };
};

export const dial = async (port: number, host = '127.0.0.1'): Promise<Socket> => {
  const socket = connect({ port, host });
  await once(socket, 'connect');
  // One that is not accepted yet when the receiver ends is reset: what was stored tells, not this.
  socket.on('error', () => undefined);
  return socket;
};

/** Waits until `look` is true; the assertion that follows tells what was missing. */
export const until = async (look: () => boolean, forMs = 60_000): Promise<void> => {
  const end = Date.now() + forMs;
  while (!look() && Date.now() < end) await wait(10);
};

export type ChildReceiver = {
  child: ChildProcess;
  addresses: Record<string, string>;
  stderr(): string;
  exited: Promise<number | string>;
};

const program = new URL('../../processes/receiver.ts', import.meta.url).pathname;

/** The receiver as a process of its own, under `prefix` (e.g. strace) if given; killed after the test. */
export const spawnReceiver = async (
  t: TestContext,
  state: StateDirectory,
  {
    prefix = [],
    env = {},
    uid,
    gid,
    kinds = ['syslog-tcp'],
    listen = kinds.map((kind) => ({ kind, host: '127.0.0.1', port: 0 })),
    tls = null,
  }: {
    prefix?: string[];
    env?: NodeJS.ProcessEnv;
    uid?: number;
    gid?: number;
    kinds?: readonly ListenerKind[];
    listen?: readonly ListenOn[];
    tls?: TlsFiles | null;
  } = {},
): Promise<ChildReceiver> => {
  const [command = '', ...args] = [
    ...prefix,
    process.execPath,
    program,
    JSON.stringify({ state: state.root, listen, tls }),
  ];
  const child = spawn(command, args, {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, HOLDFAST_READY_FD: '3' },
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const exited = once(child, 'exit').then(([code, signal]) => Number(code ?? NaN) || String(signal ?? code));
  t.after(async () => {
    // Under strace the receiver outlives it, and ends with its standard input.
    child.stdin?.end();
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const channel = child.stdio[3];
  if (!(channel instanceof Readable)) throw new Error('no ready channel');
  const ready = await Promise.race([
    once(channel, 'data').then(([chunk]) => String(chunk)),
    exited.then(() => null),
  ]);
  if (ready === null) throw new Error(`the receiver ended before it was ready: ${stderr}`);
  return { child, addresses: JSON.parse(ready).addresses, stderr: () => stderr, exited };
};
