import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CliError } from '#cli';
import type { HostSeen, ProbeErrorCode, Vantage } from '#probe/host';
import { proberWord, type Looking, type ProberTask, type ProberWord, type Sending } from './words.ts';

const prober = join(import.meta.dirname, '..', 'prober.ts');

/** Starts a process without privileges, gives it its task, and reads what it says. @throws CliError `usage`, `could-not-look` */
const wordsOf = async function* (task: ProberTask): AsyncGenerator<ProberWord> {
  const child = spawn(process.execPath, [...process.execArgv, prober], {
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(task));
  try {
    for await (const text of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
      const word = proberWord.parse(JSON.parse(text));
      if ('error' in word) throw new CliError(statusOf[word.error.code], word.error.message);
      yield word;
    }
  } finally {
    child.kill();
  }
};

const endedEarly = (): Error => new Error('the prober ended before it had said all');

/**
 * Has the host looked at.
 * @param onVantage called before anything is sent to the host
 * @throws CliError `usage`, `could-not-look`
 */
export const askProber = async (
  task: Looking,
  onVantage: (vantage: Vantage) => void,
): Promise<{ vantage: Vantage; seen: HostSeen }> => {
  let vantage: Vantage | null = null;
  let seen: HostSeen | null = null;
  for await (const word of wordsOf(task)) {
    if ('vantage' in word) onVantage((vantage = word.vantage));
    if ('seen' in word) seen = word.seen;
  }
  if (vantage === null || seen === null) throw endedEarly();
  return { vantage, seen };
};

/** Has tokens sent. @throws CliError */
export const haveTokensSent = async (task: Sending): Promise<void> => {
  for await (const word of wordsOf(task)) if ('sent' in word) return;
  throw endedEarly();
};

const statusOf = {
  'bad-ports': 'usage',
  'bad-host': 'usage',
  'bad-token': 'usage',
  'unknown-host': 'could-not-look',
  'no-way': 'could-not-look',
} as const satisfies Record<ProbeErrorCode, string>;
