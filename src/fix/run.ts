import { spawn } from 'node:child_process';
import type { Argv } from '#advise';
import { FixError } from './errors.ts';

export type Outcome = { status: number | null; stdout: string; stderr: string };

/** So many characters are kept of each stream, unless more are asked for. */
const mostKept = 1024 * 1024;

/**
 * Runs a program to its end. Never throws: what could not be started, or was killed after `milliseconds`, has status
 * `null` and says so in `stderr`.
 */
export const run = async (
  [file = '', ...args]: Argv,
  milliseconds = 90_000,
  most = mostKept,
): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' },
    });
    const outcome: Outcome = { status: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (outcome.stdout.length < most) outcome.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (outcome.stderr.length < most) outcome.stderr += text;
    });
    const timer = setTimeout(() => {
      outcome.stderr += `it did not end within ${milliseconds / 1000} s`;
      child.kill('SIGKILL');
    }, milliseconds);
    const settle = (status: number | null): void => {
      clearTimeout(timer);
      // What it started may hold its output open.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ ...outcome, status });
    };
    child.on('error', (error) => {
      outcome.stderr += error.message;
      settle(null);
    });
    child.on('exit', (status) => setTimeout(settle, 20, status));
  });

/** The files of all packages that go along are a few MiB. */
const mostAsked = 64 * 1024 * 1024;

/** As run, of what a plan must know. @returns all that it printed @throws FixError `could-not-look` where it failed, or printed too much */
export const asked = async (argv: Argv): Promise<string> => {
  const outcome = await run(argv, undefined, mostAsked);
  const isCut = outcome.stdout.length >= mostAsked;
  if (outcome.status === 0 && !isCut) return outcome.stdout;
  const why = isCut ? `printed more than ${mostAsked} characters` : `failed: ${lastWord(outcome)}`;
  throw new FixError('could-not-look', `nothing was changed: '${argv.join(' ')}' ${why}`);
};

/** The last line that is not empty of what a program said, to be quoted. */
export const lastWord = ({ stdout, stderr }: Outcome): string =>
  (stderr.trim() === '' ? stdout : stderr).trim().split('\n').at(-1)?.trim() ?? '';
