import { execFile } from 'node:child_process';
import { messageOf } from '#base/errors';

/** What became of a command of the host. A command that is not installed is not a failure of the command. */
export type CommandOutcome =
  | { ran: true; status: number; stdout: string; stderr: string }
  | { ran: false; why: 'not installed' | 'timed out' | 'could not be started'; detail: string };

export type CommandOptions = {
  /** Milliseconds, default 10,000; then it is killed. */
  timeout?: number;
  /** Run as this uid and gid with no supplementary groups; needs root. */
  runAs?: number;
};

/** Fixed: neither the caller's PATH nor its APT_CONFIG or LD_* may decide what is run or what it prints. */
const environment = { LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/nonexistent' };

/** Runs a command without a shell, in the C locale and with a fixed environment; its standard input is empty. */
export const runCommand = (
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutcome> =>
  new Promise<CommandOutcome>((resolve) => {
    const privileges = options.runAs === undefined ? {} : { uid: options.runAs, gid: options.runAs };
    const child = execFile(
      file,
      [...args],
      {
        env: environment,
        cwd: '/',
        timeout: options.timeout ?? 10_000,
        killSignal: 'SIGKILL',
        maxBuffer: 256 << 20,
        encoding: 'utf8',
        ...privileges,
      },
      (error, stdout, stderr) => {
        if (error === null) resolve({ ran: true, status: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ ran: true, status: error.code, stdout, stderr });
        else if (error.killed === true) resolve({ ran: false, why: 'timed out', detail: error.message });
        else {
          const why = error.code === 'ENOENT' ? 'not installed' : 'could not be started';
          resolve({ ran: false, why, detail: error.message });
        }
      },
    );
    child.stdin?.end();
  }).catch((error: unknown) => ({
    // Thrown, and not reported, where this process may not become who it is to run as.
    ran: false,
    why: 'could not be started',
    detail: messageOf(error),
  }));
