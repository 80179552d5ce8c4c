import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { delivery, linesOf, vaultFor } from '../vault/testing/test-vault.ts';

/** A keeper as `holdfast up` starts it. */
const start = async (t: TestContext, state: string, said: string[] = []): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), JSON.stringify({ state })], {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOLDFAST_READY_FD: '3' },
  });
  t.after(() => child.kill('SIGKILL'));
  // Read from the first: what nobody reads is thrown away at the exit.
  child.stderr?.on('data', (bytes: Buffer) => said.push(bytes.toString()));
  const ready = child.stdio[3];
  assert.ok(ready !== null && ready !== undefined && 'on' in ready);
  await Promise.race([once(ready, 'data'), once(child, 'exit')]);
  return child;
};

const until = async (what: () => boolean): Promise<void> => {
  for (const end = Date.now() + 60_000; !what() && Date.now() < end;) await sleep(20);
  assert.ok(what(), 'did not come to pass within 60 s');
};

describe('keeper process', () => {
  it('commits what comes in within about a second, and the rest when its supervisor goes away', async (t) => {
    const made = vaultFor(t);
    const child = await start(t, made.root);
    const file = made.receive(delivery('one\n'));
    await until(() => linesOf(made).length === 1);
    // What the signer remembers is for every verifier, whatever the keeper's umask.
    assert.equal(statSync(join(made.keys, 'lock')).mode & 0o777, 0o644);
    appendFileSync(join(made.intake, file), delivery('two\n'));
    await until(() => linesOf(made).length === 2);
    appendFileSync(join(made.intake, file), delivery('three\n'));
    child.stdin?.end();
    const [status] = await once(child, 'exit');
    assert.equal(status, 0);
    assert.deepEqual(linesOf(made), ['one', 'two', 'three']);
    const report = await made.verify();
    assert.deepEqual([report.problems, report.uncommitted], [[], 0]);
  });

  it('killed at any time, loses nothing and takes nothing twice', async (t) => {
    const made = vaultFor(t);
    let sent = 0;
    for (let round = 0; round < 6; round++) {
      const child = await start(t, made.root);
      const file = made.receive();
      for (const end = Date.now() + 120 + round * 90; Date.now() < end;) {
        appendFileSync(
          join(made.intake, file),
          delivery(Array.from({ length: 50 }, () => `line ${sent++}\n`).join('')),
        );
        await sleep(5);
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
      assert.deepEqual((await made.verify()).problems, []);
    }
    const last = await start(t, made.root);
    await until(() => linesOf(made).length === sent);
    last.kill('SIGTERM');
    assert.deepEqual(await once(last, 'exit'), [0, null]);
    assert.deepEqual(
      linesOf(made),
      Array.from({ length: sent }, (_, i) => `line ${i}`),
    );
    const report = await made.verify();
    assert.deepEqual([report.problems, report.uncommitted], [[], 0]);
    assert.equal(readdirSync(made.intake).length, 1);
  });

  it('waits for another keeper that still writes, and goes on where that one ends', async (t) => {
    const made = vaultFor(t);
    const first = await start(t, made.root);
    made.receive(delivery('one\n'));
    await until(() => linesOf(made).length === 1);
    // As in a write to a disk that does not answer: its supervisor is gone, and it does not see it yet.
    first.kill('SIGSTOP');
    const unfinished = 'staging/tmp-1-segment-000';
    made.write(unfinished, Buffer.from('of the first'));
    const ready = start(t, made.root);
    let isReady = false;
    void ready.then(() => (isReady = true));
    await sleep(1500);
    assert.ok(!isReady, 'the second began beside the first');
    assert.ok(made.files().includes(unfinished), 'the second cleared away what the first was at');
    first.stdin?.end();
    first.kill('SIGCONT');
    assert.deepEqual(await once(first, 'exit'), [0, null]);
    const second = await ready;
    made.receive(delivery('two\n'));
    await until(() => linesOf(made).length === 2);
    second.kill('SIGTERM');
    assert.deepEqual(await once(second, 'exit'), [0, null]);
    assert.deepEqual(linesOf(made), ['one', 'two']);
    const report = await made.verify();
    assert.deepEqual([report.problems, report.uncommitted], [[], 0]);
  });

  it('stops within the second that its supervisor gives it, whatever waits in intake', async (t) => {
    const made = vaultFor(t);
    const block = delivery('a line of some length, as there are many of them\n'.repeat(2000));
    for (let i = 0; i < 6; i++) made.receive(...Array.from({ length: 100 }, () => block));
    const took: number[] = [];
    // Others may have the machine for a moment: then another is tried, which goes on with what is left.
    while (Math.min(...took) >= 1500 && took.length < 3) {
      const child = await start(t, made.root);
      const began = performance.now();
      child.stdin?.end();
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      took.push(performance.now() - began);
      if (took.length === 1) assert.ok(linesOf(made).length < 1_200_000, 'there was nothing left to leave');
    }
    assert.ok(Math.min(...took) < 1500, `${took.join()} ms`);
    const report = await made.verify();
    assert.deepEqual([report.problems, report.uncommitted], [[], 0]);
  });

  it('refuses to begin without a vault, and says so', async (t) => {
    const made = vaultFor(t);
    rmSync(made.vault, { recursive: true });
    const said: string[] = [];
    const child = await start(t, made.root, said);
    if (child.exitCode === null) await once(child, 'exit');
    assert.equal(child.exitCode, 1);
    await until(() => /no vault in .* A vault is never made implicitly/.test(said.join('')));
  });
});
