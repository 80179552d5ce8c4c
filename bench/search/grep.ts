import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { unpackedPackages } from '../debian/unpacked.ts';
import { BenchError } from '../errors.ts';
import type { Asked } from './ask.ts';
import type { Needle } from './questions.ts';

/** A program that looks through files. */
export type Grep = { name: string; run(needle: Needle): Promise<Asked> };

/** ripgrep from Debian's packages, on all cores, as it is by default. @throws BenchError `unavailable` */
export const ripgrep = (cache: string, files: string): Grep => {
  const { root, env } = unpackedPackages(cache, 'ripgrep', ['ripgrep']);
  const program = join(root, 'usr/bin/rg');
  return {
    name: 'ripgrep',
    run: ({ grep }) =>
      counted(
        `"$0" --no-config --no-ignore --no-filename ${grep.kind === 'text' ? '-F' : ''} -e "$1" "$2" | wc -l`,
        [program, grep.pattern, files],
        env,
      ),
  };
};

/** zgrep over the same files, compressed. */
export const zgrep = (files: string): Grep => ({
  name: 'zgrep',
  run: ({ grep }) =>
    counted(
      `find "$2" -type f -print0 | xargs -0 "$0" -h ${grep.kind === 'text' ? '-F' : '-E'} -e "$1" | wc -l`,
      ['zgrep', grep.pattern, files],
      { ...process.env, LC_ALL: 'C' },
    ),
});

const counted = (command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Asked> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn('sh', ['-c', command, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
    child.on('error', reject);
    child.on('close', (status) => {
      const count = Number(text);
      if (status === 0 && text.trim() !== '' && Number.isInteger(count))
        resolve({ ms: performance.now() - started, count });
      else reject(new BenchError('failed', `${args[0] ?? ''} ended with status ${status}: ${text}`));
    });
  });
