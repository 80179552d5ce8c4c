import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { delivery, newTestVault, type TestVault } from '../../vault/testing/test-vault.ts';

const holdfast = join(import.meta.dirname, '..', '..', '..', 'bin', 'holdfast');

const strace = spawnSync('strace', ['-V']).status === 0 ? false : 'no strace: apt install strace';

describe('holdfast vault check, as a process', () => {
  let made: TestVault;
  let proof: Buffer;
  const state = join(tmpdir(), 'holdfast-no-such-state');
  const env = { ...process.env, HOLDFAST_STATE: state, HOME: state };
  const check = (argv: readonly string[], input: Buffer, program: readonly string[] = []) => {
    const [file = holdfast, ...rest] = [...program, holdfast, 'vault', 'check', ...argv];
    return spawnSync(file, rest, { input, env });
  };

  before(async () => {
    made = newTestVault();
    made.receive(delivery(Buffer.from([0x3c, 0x33, 0x34, 0x3e, 0xff, 0x00, 0x1b, 0x0a])));
    await made.keep();
    proof = spawnSync(holdfast, ['vault', 'prove', '1:1', '--state', made.root]).stdout;
  });
  after(() => made.remove());

  it('writes exactly the raw bytes with --raw, and none that are not proven', () => {
    const good = check(['-', '--key', made.vkey, '--raw'], proof);
    assert.deepEqual([good.status, good.stdout.toString('hex')], [0, '3c33343eff001b']);
    const tampered = Buffer.from(proof.toString().replace(/^index 1$/m, 'index 0'));
    const bad = check(['-', '--key', made.vkey, '--raw'], tampered);
    assert.deepEqual([bad.status, bad.stdout.length], [1, 0]);
    assert.match(bad.stderr.toString(), /NOT PROVEN/);
  });

  it('takes well under a second', () => {
    // CPU time, user and system, which hardly depends on what else the machine does.
    const timed = ['bash', '-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash'];
    const times = Array.from({ length: 5 }, () => {
      const { status, stderr } = check(['-', '--key', made.vkey], proof, timed);
      assert.equal(status, 0);
      const [user, system] = (stderr.toString().trim().split('\n').at(-1) ?? '').split(' ').map(Number);
      return (user ?? NaN) + (system ?? NaN);
    });
    assert.ok(Math.min(...times) < 0.6, times.join(' '));
  });

  it('looks for no state directory and opens no socket', { skip: strace }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-strace-'));
    try {
      const log = join(dir, 'log');
      const traced = check(['-', '--key', made.vkey], proof, [
        'strace',
        '-f',
        '-o',
        log,
        '-e',
        'trace=%file,socket,connect',
      ]);
      assert.equal(traced.status, 0, traced.stderr.toString());
      const calls = readFileSync(log, 'utf8');
      assert.match(calls, /vault\/prove\/check\.ts/, 'the log is that of the check');
      assert.ok(!calls.includes(state), calls.split('\n').find((call) => call.includes(state)) ?? '');
      assert.doesNotMatch(calls, /AF_INET|AF_UNIX/);
    } finally {
      rmSync(dir, { recursive: true });
    }
    assert.ok(!existsSync(state));
  });

  it('refuses a file that is longer than a proof can be before it reads it', () => {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-long-'));
    try {
      const file = join(dir, 'long');
      spawnSync('truncate', ['-s', '1G', file]);
      const { status, stderr } = check([file, '--key', made.vkey], Buffer.alloc(0));
      assert.equal(status, 3);
      assert.match(stderr.toString(), /more than such a file can have/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
