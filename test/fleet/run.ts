import { spawn } from 'node:child_process';

export type Outcome = { status: number | null; stdout: string; stderr: string };

export type RunOptions = {
  /** Its standard input; left out: none. */
  input?: string | Buffer;
  /** After how long it is killed. Default: five minutes. */
  milliseconds?: number;
  /** In place of an environment with PATH and LANG alone. */
  env?: Readonly<Record<string, string>>;
};

export const plainEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/root',
} as const;

/** Runs a program to its end. @throws Error where it cannot be started or takes too long */
export const runProgram = async (
  [file = '', ...args]: readonly string[],
  { input, milliseconds = 300_000, env = plainEnvironment }: RunOptions = {},
): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const timer = setTimeout(() => {
      // With all that it has started.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      reject(
        new Error(`${[file, ...args].join(' ')} did not end within ${milliseconds} ms:\n${stdout}${stderr}`),
      );
    }, milliseconds);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
    // A program that does not read to the end is no fault of the caller's.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
