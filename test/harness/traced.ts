import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StateDirectory } from '#base/state';
import { root } from './up.ts';

/** Why no system call can be made to fail here, or `null`. */
export const noStrace = (): string | null => {
  const { status, error, stderr } = spawnSync('strace', ['-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (error !== undefined) return 'strace is not installed (apt-get install strace)';
  return status === 0 ? null : `strace may not trace here: ${stderr.trim().split('\n')[0]}`;
};

/** What strace is told: which calls it is to see, and which of them is to fail. */
export type Tracing = {
  calls: readonly string[];
  /** From its first call on, or once it serves: by then the names of its files are known. */
  from: 'start' | 'serving';
  /** Only calls on these files; all if there are none. */
  paths?: (pid: number) => readonly string[];
  fail?: { call: string; error: 'EIO' | 'ENOSPC'; nth: number };
};

/** A process of the product, started as `holdfast up` does where it is not root. */
export type Started = {
  child: ChildProcess;
  addresses: Record<string, string>;
  /** Status or signal, once it has ended. */
  exited: Promise<number | string>;
  isOver(): boolean;
  stderr(): string;
  /** Lines that strace wrote so far. */
  trace(): string[];
  /** Ends it in order, by force after `graceMs`. */
  stop(graceMs?: number): Promise<number | string>;
};

const programs = {
  receiver: ['src/receive/index.ts', 'src/base/child.ts'],
  keeper: ['src/vault/append/index.ts', 'src/vault/request/index.ts', 'src/base/child.ts'],
} as const;

/**
 * @returns once it serves, or has ended before that. With `tracing`, strace is attached to the one thread that does its
 *   calls on files, before the first of them. (libuv's; the main thread, whose calls are Node's own, is not traced.)
 */
export const startProcess = async (
  state: StateDirectory,
  name: keyof typeof programs,
  config: Record<string, unknown>,
  tracing: Tracing | null,
): Promise<Started> => {
  const go = join(state.run, `${name}-${process.hrtime.bigint()}`);
  const env: NodeJS.ProcessEnv = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: state.run,
    HOLDFAST_READY_FD: '3',
    UV_THREADPOOL_SIZE: '1',
    ...(tracing?.from === 'start'
      ? { HOLDFAST_TEST_LOAD: programs[name].map((path) => join(root, path)).join(':'), HOLDFAST_TEST_GO: go }
      : {}),
  };
  const paused = ['--import', join(root, 'test', 'harness', 'paused.ts')];
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...(tracing?.from === 'start' ? paused : []),
      join(root, 'src', 'processes', `${name}.ts`),
      JSON.stringify({ state: state.root, ...config }),
    ],
    { cwd: root, env, stdio: ['pipe', 'ignore', 'pipe', 'pipe'] },
  );
  child.stdin?.on('error', () => undefined);
  let over = false;
  const exited = once(child, 'exit').then(([status, signal]): number | string => {
    over = true;
    return status ?? signal;
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const channel = child.stdio[3];
  if (!(channel instanceof Readable)) throw new Error('no ready channel');
  const word = Promise.race([
    once(channel, 'data').then(([chunk]) => String(chunk)),
    exited.then(() => null),
  ]);
  const log = `${go}.strace`;
  let tracer = tracing?.from === 'start' ? await attach(child, tracing, log) : null;
  writeFileSync(go, '');
  const ready = await word;
  if (tracing?.from === 'serving' && ready !== null) tracer = await attach(child, tracing, log);
  return {
    child,
    addresses: ready === null ? {} : JSON.parse(ready).addresses,
    exited,
    isOver: () => over,
    stderr: () => stderr,
    trace: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : []),
    async stop(graceMs = 4000) {
      child.stdin?.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const how = await exited;
      clearTimeout(timer);
      // It ends by itself when nothing is left to trace.
      if (tracer !== null && tracer.exitCode === null) await once(tracer, 'exit');
      return how;
    },
  };
};

const attach = async (child: ChildProcess, tracing: Tracing, log: string): Promise<ChildProcess> => {
  const pid = child.pid ?? 0;
  const thread = await workerThread(pid);
  const { calls, paths, fail } = tracing;
  const tracer = spawn(
    'strace',
    [
      '-qq',
      '-y',
      `--output=${log}`,
      `--attach=${thread}`,
      `--trace=${calls.join(',')}`,
      ...(paths?.(pid) ?? []).flatMap((path) => ['-P', path]),
      ...(fail === undefined ? [] : [`--inject=${fail.call}:error=${fail.error}:when=${fail.nth}`]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  tracer.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const status = `/proc/${pid}/task/${thread}/status`;
  for (let waited = 0; !/^TracerPid:\t[1-9]/m.test(readFileSync(status, 'utf8')); waited += 5) {
    if (tracer.exitCode !== null || waited > 60_000) throw new Error(`strace did not attach: ${said}`);
    await sleep(5);
  }
  return tracer;
};

/** The thread of libuv's pool, of which there is one. */
const workerThread = async (pid: number): Promise<number> => {
  for (let waited = 0; waited < 60_000; waited += 10) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const name = readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim();
      if (name === 'libuv-worker') return Number(task);
    }
    await sleep(10);
  }
  throw new Error(`process ${pid} made no thread for its calls on files`);
};
