import { execFile } from 'node:child_process';

export type Printed = { status: number | null; stdout: string; stderr: string };

/** Runs a program to its end, or for ten seconds. Never throws: what could not be started has status `null`. */
export const run = async (file: string, args: readonly string[]): Promise<Printed> =>
  new Promise((resolve) => {
    execFile(
      file,
      [...args],
      { timeout: 10_000, env: { ...process.env, LC_ALL: 'C' } },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ status, stdout, stderr: stderr === '' ? (error?.message ?? '') : stderr });
      },
    );
  });
