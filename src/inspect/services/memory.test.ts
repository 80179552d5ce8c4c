import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { collectServices } from './collect.ts';
import { newMemory } from './memory.ts';
import { packageFinder } from './packages.ts';
import { firstLine } from './first-line.fixture.ts';

const start = async () => {
  const script = `use IO::Socket::INET; $| = 1; my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die; print $s->sockport . "\\n"; <STDIN>;`;
  const child = spawn('perl', ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await firstLine(child);
  return {
    pid: child.pid,
    port: Number(port),
    async end() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
};

test('a later look sees what came, what stayed and what went', async (t) => {
  const options = { memory: newMemory(), packages: packageFinder() };
  const holderOf = async (port: number) => {
    const { listeners } = await collectServices(options);
    return listeners
      .find((one) => one.protocol === 'tcp' && one.port === port)
      ?.processes.map(({ pid }) => pid);
  };
  const first = await start();
  t.after(() => first.end());
  assert.deepEqual(await holderOf(first.port), [first.pid]);
  assert.deepEqual(await holderOf(first.port), [first.pid]);
  const second = await start();
  assert.deepEqual(await holderOf(second.port), [second.pid]);
  assert.deepEqual(await holderOf(first.port), [first.pid]);
  await second.end();
  assert.equal(await holderOf(second.port), undefined);
});
