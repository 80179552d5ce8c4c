import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/**
 * Runs a sender to its end. The receiver lives in the test's own process, which therefore may not block meanwhile.
 * @returns its exit status, and what it wrote to both outputs
 */
export const run = async (
  t: TestContext,
  program: string,
  args: readonly string[],
  { input = '', cwd, env }: { input?: string | Buffer; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number | null; output: string }> => {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd, env: env ?? process.env });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, output };
};
