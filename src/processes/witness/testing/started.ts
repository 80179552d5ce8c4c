import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { parseWitnessVkey } from '#vault/checkpoint';
import { originHash } from '#witness';
import { temporaryDirectory, type TestLog } from '../../../witness/testing/test-log.ts';

const holdfast = join(import.meta.dirname, '..', '..', '..', '..', 'bin', 'holdfast');

/** To its end. */
export const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(holdfast, ['witness', ...args], { encoding: 'utf8', timeout: 30_000 });

export type Started = { process: ChildProcess; output(): string; url(): string };

export const start = async (t: TestContext, ...args: string[]): Promise<Started> => {
  const child = spawn(holdfast, ['witness', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // What it says last.
  const serves = args.includes('--listen') ? /^listening on http:\/\/\S+\n/m : /^witnessing .*\n/m;
  for (let waited = 0; !serves.test(output); waited += 20) {
    assert.ok(waited < 60_000 && child.exitCode === null, output);
    await wait(20);
  }
  return {
    process: child,
    output: () => output,
    url: () => /http:\/\/\S+/.exec(output)?.[0] ?? '',
  };
};

export const post = async (url: string, body: Buffer): Promise<{ status: number; body: string }> => {
  const reply = await fetch(url, { method: 'POST', body: new Uint8Array(body) });
  return { status: reply.status, body: await reply.text() };
};

/** A witness that knows the log: where its state is, and its key. */
export const init = (t: TestContext, log: TestLog) => {
  const state = temporaryDirectory(t);
  const file = join(state, 'log.vkey');
  writeFileSync(file, `${log.vkeyText}\n`);
  const made = run('--init', '--state', state, '--name', 'witness.example/w1', '--log', file);
  assert.equal(made.status, 0, made.stderr);
  return {
    state,
    file,
    vkey: parseWitnessVkey(made.stdout),
    memory: join(state, 'witness/memory', originHash(log.origin)),
  };
};
