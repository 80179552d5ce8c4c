import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from './command.ts';

test('a command that ends, one that is not there', async () => {
  assert.deepEqual(await runCommand('sh', ['-c', 'echo out; echo err >&2; exit 3']), {
    ran: true,
    status: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  const missing = await runCommand('/nowhere/command', []);
  assert.equal(missing.ran === false && missing.why, 'not installed');
});

const skip = process.getuid?.() === 0 ? false : 'only root can stop being root';

test('a command that may not run as another user could not be started', { skip }, async () => {
  process.seteuid?.(65_534);
  try {
    const outcome = await runCommand('true', [], { runAs: 1 });
    assert.equal(outcome.ran === false && outcome.why, 'could not be started');
  } finally {
    process.seteuid?.(0);
  }
});
