import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import { exportParser, type ExportedEntry } from './export.ts';

/** Where systemd-journald keeps its files (systemd-journald.service(8)). */
export const journalDirectories = ['/var/log/journal', '/run/log/journal'];

const programs = ['/usr/bin/journalctl', '/bin/journalctl'];

/** The journalctl of this host, or `null`. Looked for in fixed places: PATH is not to be trusted with privileges. */
export const findJournalctl = (): string | null => {
  for (const program of programs) {
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      continue;
    }
  }
  return null;
};

/**
 * The journal files in `directories` and one level below, and those of them that cannot be opened: journalctl says
 * nothing of what it may not read.
 */
export const journalFiles = (
  directories: readonly string[],
): { found: string[]; couldNotLook: CouldNotLook[] } => {
  const found: string[] = [];
  const couldNotLook: CouldNotLook[] = [];
  const enter = (directory: string, depth: number): void => {
    try {
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        const path = join(directory, entry.name);
        if (entry.isDirectory() && depth === 0) enter(path, 1);
        if (!entry.isFile() || !entry.name.endsWith('.journal')) continue;
        found.push(path);
        // access(2) disregards capabilities; opening is what counts.
        closeSync(openSync(path, 'r'));
      }
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      couldNotLook.push({
        what: `the journal in ${directory}`,
        why: messageOf(error),
        remedy: 'run as root, or add the user that runs Holdfast to the group systemd-journal',
      });
    }
  };
  for (const directory of directories) enter(directory, 0);
  return { found, couldNotLook };
};

export type JournalRun = {
  /** Groups of entries as they come. Ends when journalctl does. */
  entries: AsyncIterable<ExportedEntry[]>;
  /** What it said on stderr, and how it ended; after `entries` has ended. */
  outcome(): Promise<{ status: number | null; said: string }>;
  end(): void;
};

export const fieldsOfInterest = [
  '__CURSOR',
  '__REALTIME_TIMESTAMP',
  '_SYSTEMD_UNIT',
  '_SYSTEMD_USER_UNIT',
  '_UID',
  'SYSLOG_IDENTIFIER',
] as const;

/**
 * Starts journalctl with exported output. Its environment is empty but for the locale, so that nothing from outside
 * (SYSTEMD_*, PAGER) changes what it prints. It ends by itself when nobody reads its output any more.
 */
export const runJournalctl = (
  program: string,
  directory: string | null,
  parameters: readonly string[],
): JournalRun => {
  const where = directory === null ? [] : [`--directory=${directory}`];
  const child = spawn(program, ['--output=export', '--quiet', '--no-pager', ...where, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { LC_ALL: 'C' },
    cwd: '/',
  });
  let said = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => (said = (said + text).slice(-2000)));
  const outcome = new Promise<{ status: number | null; said: string }>((resolve) => {
    child.once('error', (error) => resolve({ status: null, said: error.message }));
    child.once('close', (status) => resolve({ status, said: said.trim() }));
  });
  const parse = exportParser(fieldsOfInterest);
  const entries = async function* (): AsyncGenerator<ExportedEntry[]> {
    for await (const chunk of child.stdout) {
      const complete = parse(chunk);
      if (complete.length > 0) yield complete;
    }
  };
  return { entries: entries(), outcome: () => outcome, end: () => void child.kill('SIGTERM') };
};
