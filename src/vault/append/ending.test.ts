import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openInbox } from '#vault/request';
import { assertGood, done, expire, none, redact, segmentsOf, twoBatches } from '../testing/amended-vault.ts';
import { answered, answerTo, leaveRequest, whileKept } from '../testing/asking.ts';
import {
  beats,
  delivery,
  inMemory,
  newTestVault,
  openTest,
  vaultFor,
  type TestVault,
} from '../testing/test-vault.ts';
import { startSequencer, type Sequencer } from './sequencer.ts';

/** Enough for the look through them to take longer than a commit. */
const commits = 80;
const entries = commits * 256;

/** A keeper with a request that takes a while to be looked at. */
const keeperWith = async (
  made: TestVault,
  step?: (what: string) => void,
): Promise<{ sequencer: Sequencer; isTaken: () => boolean; id: string; close: () => void }> => {
  await twoBatches(made);
  const before = await openTest(made);
  for (let i = 0; i < commits; i++) await before.commit(beats(256), '');
  before.close();
  const appender = await openTest(made, step);
  const inbox = await openInbox(made.keys);
  const id = leaveRequest(made, expire(0, entries));
  const { intake, clock } = made;
  const sequencer = startSequencer({ appender, intake, clock, host: 'test', log: () => undefined, inbox });
  const isTaken = (): boolean => existsSync(join(made.keys, 'requests', `${id}.taken`));
  return { sequencer, isTaken, id, close: () => appender.close() };
};

const endedWithin = (ms: number, ended: Promise<string>): Promise<string> =>
  Promise.race([ended, sleep(ms, 'it has not ended', { ref: false })]);

describe('a keeper that is asked for something that takes long', () => {
  it('ends when it is stopped, and the next one does it', async (t) => {
    const made = vaultFor(t, inMemory());
    const { sequencer, isTaken, id, close } = await keeperWith(made);
    await until(isTaken);
    assert.equal(answerTo(made, id), null);
    const stopped = sequencer.stop(0).then(() => 'ended');
    assert.equal(await endedWithin(60_000, stopped), 'ended');
    close();
    assert.equal(answerTo(made, id), null);
    assert.ok(isTaken());
    await whileKept(made, () => answered(made, id));
    done(answerTo(made, id) ?? none);
    await assertGood(made);
  });

  it('ends with the fault of a commit', async (t) => {
    const made = vaultFor(t, inMemory());
    let faults = 0;
    const { sequencer, isTaken, close } = await keeperWith(made, (what) => {
      if (!what.startsWith('before rename') || !what.endsWith('keys/lock')) return;
      faults += 1;
      throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    });
    const ended = sequencer.ended.then(
      () => 'ended well',
      () => 'ended with a fault',
    );
    assert.equal(await endedWithin(60_000, ended), 'ended with a fault');
    assert.ok(faults > 0);
    close();
    assert.ok(isTaken(), 'it was under way');
  });
});

it('a keeper that cannot ask the receiver to go on in another file lives, and asks once there is space', async (t) => {
  const made = newTestVault();
  const isFewInodes = mountFewInodes(made.intake);
  t.after(() => {
    if (isFewInodes) execFileSync('umount', ['--lazy', made.intake]);
    made.remove();
  });
  if (!isFewInodes) return t.skip('needs to mount a file system: run as root');
  made.receive(delivery('my secret is hunter2\n'));
  await made.keep();
  const id = leaveRequest(made, redact(1, 1));
  const fillers: string[] = [];
  try {
    for (;;) {
      const path = join(made.intake, `filler-${fillers.length}`);
      writeFileSync(path, '');
      fillers.push(path);
    }
  } catch {
    // As full as it gets.
  }
  await whileKept(made, async () => {
    await until(() => segmentsOf(made).every((path) => path.includes('.r')));
    await sleep(300);
    assert.equal(answerTo(made, id), null);
    for (const path of fillers) rmSync(path);
    await until(() => readdirSync(made.intake).some((name) => name.endsWith('.leave')));
    made.receive();
    await answered(made, id);
  });
  assert.deepEqual(done(answerTo(made, id) ?? none).notes, []);
  await assertGood(made);
});

const until = async (isSo: () => boolean): Promise<void> => {
  for (const end = Date.now() + 60_000; !isSo(); await sleep(1))
    assert.ok(Date.now() < end, `not within 60 s: ${String(isSo)}`);
};

/** A file system in memory. @returns whether it could be mounted */
const mountFewInodes = (path: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,nr_inodes=12', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
