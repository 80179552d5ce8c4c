import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAppender } from '../../src/vault/append/appender.ts';
import { startSequencer } from '../../src/vault/append/sequencer.ts';
import { shuffled } from '../../src/vault/testing/fault-run.ts';
import { watchCalls } from '../../src/vault/testing/faulty-calls.ts';
import { checkTree } from '../../src/vault/testing/oracle.ts';
import {
  beats,
  delivery,
  inMemory,
  newTestVault,
  openTest,
  type TestVault,
} from '../../src/vault/testing/test-vault.ts';

const isFull = process.env['HOLDFAST_TEST_FULL'] === '1';
const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? 1);

type Outcome = { calls: number; went: 'on' | 'down'; passedCommitPoint: boolean };

/**
 * A keeper that takes lines while, from the n-th call that takes space on, there is none. Space comes back when the
 * keeper has said that it lacks it, or when it is down.
 */
const withoutSpaceFrom = async (image: TestVault, n: number, code: 'ENOSPC' | 'EDQUOT'): Promise<Outcome> => {
  const made = image.copy(inMemory());
  let calls = 0;
  let hasSpace = false;
  let passedCommitPoint = false;
  const watch = watchCalls(made.root, ({ kind, name }) => {
    const takesSpace = kind === 'create' || kind === 'write' || kind === 'place';
    // The keeper's own lock is there already, which is what its open finds out.
    if (!takesSpace || name.endsWith('.intake') || name.endsWith('keeper.lock')) return 'run';
    if (calls++ >= n && !hasSpace) return { how: 'fail', code };
    // The first commit alone: what follows happens when space is back.
    passedCommitPoint ||= name === 'rename keys/lock' && !hasSpace;
    return 'run';
  });
  try {
    const { vault, keys, intake, clock } = made;
    const appender = await openAppender({ vault, keys, clock, patienceMs: 0 });
    const sequencer = startSequencer({
      appender,
      intake,
      clock,
      host: 'test',
      log(_level, text) {
        if (/Free space/.test(text)) hasSpace = true;
      },
    });
    const keeper: Pick<Outcome, 'went'> = { went: 'on' };
    sequencer.ended.catch(() => {
      keeper.went = 'down';
    });
    const name = made.receive(delivery('one\n'), delivery('two\n'));
    const hasTaken = (): boolean => appender.intake().includes(`reading ${name} `) || keeper.went === 'down';
    const until = Date.now() + 60_000;
    while (!hasTaken()) {
      assert.ok(Date.now() < until, 'space is back for long, and nothing is taken');
      await sleep(10);
    }
    await sequencer.stop().catch(() => undefined);
    appender.close();
    watch.end();
    const { went } = keeper;
    const note = `${code} from call ${n} on, keeper went ${went}`;
    await checkTree(made, 'died', note);
    if (went === 'down') await made.keep();
    assert.equal((await checkTree(made, 'kept', note)).left, 0, note);
    return { calls, went, passedCommitPoint };
  } finally {
    watch.end();
    made.remove();
  }
};

describe('a full disk', () => {
  it('is waited out by the same keeper, unless a commit is past its commit point', async (t) => {
    const image = newTestVault(inMemory());
    t.after(() => image.remove());
    const appender = await openTest(image);
    await appender.commit(beats(253), '');
    await appender.commit(beats(1), '');
    appender.close();
    const { calls } = await withoutSpaceFrom(image, Infinity, 'ENOSPC');
    const all = Array.from({ length: calls }, (_, n) => n);
    const chosen = isFull ? all : shuffled(all, seed).slice(0, 24);
    const outcomes = await Promise.all(
      chosen.map((n) => withoutSpaceFrom(image, n, n % 3 === 0 ? 'EDQUOT' : 'ENOSPC')),
    );
    const on = outcomes.filter(({ went }) => went === 'on').length;
    for (const [i, { went, passedCommitPoint }] of outcomes.entries())
      assert.ok(
        went === 'on' || passedCommitPoint,
        `call ${chosen[i]}: it ended although nothing was signed`,
      );
    t.diagnostic(
      `${chosen.length} of ${calls} calls, seed ${seed}: ${on} went on, the others were completed`,
    );
    assert.ok(on > 3 && on < outcomes.length, `${on} of ${outcomes.length} went on`);
  });
});
