import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateDirectory, type StateDirectory } from '#base/state';
import { ready as readySchema, type Ready } from '#wire/ready';
import { hit as hitSchema, type Answer, type Hit } from '#wire/search';

export const root = join(import.meta.dirname, '..', '..');
export const holdfast = join(root, 'bin', 'holdfast');

/** True for `npm run test:full`: everything whole; else the long suites are sampled. */
export const full = process.env['HOLDFAST_TEST_FULL'] === '1';

/** A `holdfast up` of the test's own, on ports that nobody uses, with a state directory of its own. */
export type RunningUp = {
  state: StateDirectory;
  process: ChildProcess;
  ready(): Ready;
  syslogTcp(): number;
  syslogUdp(): number;
  /** What it printed so far. */
  output(): string;
  /** Ends it as Ctrl-C does. @returns exit status and how long it took */
  interrupt(): Promise<{ status: number | null; milliseconds: number }>;
};

export const temporaryState = (): StateDirectory =>
  stateDirectory(mkdtempSync(join(tmpdir(), 'holdfast-test-')));

export const removeState = (state: StateDirectory): void =>
  rmSync(state.root, { recursive: true, force: true });

const quiet = [
  '--listen',
  'syslog-tcp=127.0.0.1:0',
  '--listen',
  'syslog-udp=127.0.0.1:0',
  '--console',
  '127.0.0.1:0',
];

/**
 * Starts `holdfast up` and waits until all its processes serve.
 * @param program what to start instead of bin/holdfast itself: a program and the arguments that come before `up`
 */
export const startUp = async (
  state: StateDirectory,
  args: readonly string[] = ['--no-agent'],
  program: readonly string[] = [holdfast],
): Promise<RunningUp> => {
  rmSync(state.readyFile, { force: true });
  const [file = holdfast, ...before] = program;
  const child = spawn(file, [...before, 'up', '--state', state.root, ...quiet, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const ready = (): Ready => readySchema.parse(JSON.parse(readFileSync(state.readyFile, 'utf8')));
  for (let waited = 0; !isReady(ready); waited += 50) {
    if (child.exitCode !== null || waited > 60_000)
      throw new Error(`holdfast up did not get ready (exit status ${child.exitCode}):\n${output}`);
    await sleep(50);
  }
  const port = (name: 'syslogTcp' | 'syslogUdp'): number => Number(ready().receiver[name]?.split(':').at(-1));
  return {
    state,
    process: child,
    ready,
    syslogTcp: () => port('syslogTcp'),
    syslogUdp: () => port('syslogUdp'),
    output: () => output,
    async interrupt() {
      const started = performance.now();
      child.kill('SIGINT');
      const status = await exited;
      return { status, milliseconds: performance.now() - started };
    },
  };
};

const isReady = (read: () => Ready): boolean => {
  try {
    read();
    return true;
  } catch {
    return false;
  }
};

/** Runs a command line of the product to its end. */
export const run = (
  ...args: readonly string[]
): { status: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(holdfast, args, {
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
  });
  return { status, stdout, stderr };
};

/** `holdfast logs search --json`, parsed. */
export const search = (
  state: StateDirectory,
  query: string,
  limit = 1000,
): { hits: Hit[]; answer: Answer['answer'] } => {
  const { status, stdout, stderr } = run(
    'logs',
    'search',
    '--state',
    state.root,
    '--json',
    '--limit',
    String(limit),
    query,
  );
  if (status !== 0) throw new Error(`search exited ${status}: ${stderr}`);
  const lines = stdout.trimEnd().split('\n');
  return {
    hits: lines.slice(0, -1).map((line) => hitSchema.parse(JSON.parse(line))),
    answer: JSON.parse(lines.at(-1) ?? '').answer,
  };
};

/** Polls until the condition holds. @returns milliseconds waited */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<number> => {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(25);
  }
  return performance.now() - started;
};

export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
