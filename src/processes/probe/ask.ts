import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CliError } from '#cli';
import type { HostSeen, ProbeErrorCode, Vantage } from '#probe/host';
import { proberWord, type ProberTask } from './words.ts';

const prober = join(import.meta.dirname, '..', 'prober.ts');

/**
 * Has a process without privileges look at the host.
 * @param onVantage called before anything is sent to the host
 * @throws CliError `usage`, `could-not-look`
 */
export const askProber = async (
  task: ProberTask,
  onVantage: (vantage: Vantage) => void,
): Promise<{ vantage: Vantage; seen: HostSeen }> => {
  const child = spawn(process.execPath, [...process.execArgv, prober], {
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(task));
  let vantage: Vantage | null = null;
  let seen: HostSeen | null = null;
  try {
    for await (const text of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
      const word = proberWord.parse(JSON.parse(text));
      if ('error' in word) throw new CliError(statusOf[word.error.code], word.error.message);
      if ('vantage' in word) onVantage((vantage = word.vantage));
      else seen = word.seen;
    }
  } finally {
    child.kill();
  }
  const [status] = await exited;
  if (vantage === null || seen === null)
    throw new Error(`the prober ended with status ${status} before it had said all`);
  return { vantage, seen };
};

const statusOf = {
  'bad-ports': 'usage',
  'bad-host': 'usage',
  'unknown-host': 'could-not-look',
  'no-way': 'could-not-look',
} as const satisfies Record<ProbeErrorCode, string>;
