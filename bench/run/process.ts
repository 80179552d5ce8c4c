import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { BenchError } from '../errors.ts';
import { atExit } from './clean-up.ts';

export type ProcessSpec = {
  name: string;
  file: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Where it speaks in JSON lines: its standard output, or descriptor 3. */
  output: 'stdout' | 'descriptor 3' | 'none';
};

/** A process of a run. It is killed if the bench ends before it does. */
export type Process = {
  name: string;
  pid: number;
  input(text: string): void;
  /** The next JSON line that has this member. @throws BenchError `failed` if the process ends without saying it */
  said(member: string): Promise<string>;
  /**
   * Closes its standard input, sends `signal` too if there is one, and waits.
   * @throws BenchError `failed` if it does not end with status 0 in time (it is killed then)
   */
  stop(graceMs: number, signal?: NodeJS.Signals): Promise<void>;
};

const keptOfStderr = 8000;

/** @throws BenchError `failed` if there is no such program */
export const startProcess = (spec: ProcessSpec): Process => {
  const child = spawn(spec.file, spec.args, {
    env: spec.env ?? process.env,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    stdio: [
      'pipe',
      spec.output === 'stdout' ? 'pipe' : 'ignore',
      'pipe',
      spec.output === 'descriptor 3' ? 'pipe' : 'ignore',
    ],
    // Ctrl-C in the terminal reaches the bench alone, which then ends its processes.
    detached: true,
  });
  const cleanUp = atExit(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => (stderr = (stderr + text).slice(-keptOfStderr)));
  child.stdin?.on('error', () => undefined);

  const ended = new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(`could not be started: ${error.message}`));
    child.on('close', (status, signal) => {
      cleanUp.done();
      resolve(status === 0 ? null : `ended ${signal === null ? `with status ${status}` : `by ${signal}`}`);
    });
  });
  const failure = (what: string): BenchError =>
    new BenchError('failed', `${spec.name} ${what}${stderr === '' ? '' : `; it said:\n${stderr.trimEnd()}`}`);

  const lines: string[] = [];
  const waiting: { member: string; resolve: (line: string) => void }[] = [];
  const output = spec.output === 'stdout' ? child.stdout : child.stdio[3];
  if (spec.output !== 'none' && output) {
    createInterface({ input: output as Readable }).on('line', (line) => {
      lines.push(line);
      for (const one of waiting.filter(({ member }) => line.includes(`"${member}"`))) one.resolve(line);
    });
  }

  return {
    name: spec.name,
    pid: child.pid ?? -1,
    input: (text) => void child.stdin?.write(text),
    said: async (member) => {
      const known = lines.find((line) => line.includes(`"${member}"`));
      if (known !== undefined) return known;
      const line = await Promise.race([
        new Promise<string>((resolve) => waiting.push({ member, resolve })),
        ended.then((how) => how ?? 'ended with status 0').then((how) => ({ how })),
      ]);
      if (typeof line !== 'string') throw failure(`${line.how} before it said "${member}"`);
      return line;
    },
    async stop(graceMs, signal) {
      child.stdin?.end();
      if (signal !== undefined) child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const how = await ended;
      clearTimeout(timer);
      if (how !== null) throw failure(`${how} when it was to stop within ${graceMs} ms`);
    },
  };
};
