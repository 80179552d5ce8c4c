import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CliError } from '#cli';
import type { HostSeen, ProbeErrorCode, Vantage, Vantages } from '#probe/host';
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
 * Has the host looked at, at each of its addresses.
 * @param onVantages called before anything is sent to the host
 * @throws CliError `usage`, `could-not-look`
 */
export const askProber = async (task: Looking, onVantages: (vantages: Vantages) => void): Promise<Looked> => {
  let all: Vantages | null = null;
  const looked: Looked['looked'] = [];
  for await (const word of wordsOf(task)) {
    if ('vantages' in word) onVantages((all = word.vantages));
    const vantage = all?.vantages[looked.length];
    if ('seen' in word && vantage !== undefined) looked.push({ vantage, seen: word.seen });
  }
  if (all === null || looked.length !== all.vantages.length) throw endedEarly();
  return { ...all, looked };
};

/** What was seen at each address, and at which nothing was looked at. */
export type Looked = Pick<Vantages, 'lost' | 'others'> & { looked: { vantage: Vantage; seen: HostSeen }[] };

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
