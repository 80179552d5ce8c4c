import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { micros } from '#base/clock';
import { segmentPath } from '#vault/tree';
import {
  beats,
  delivery,
  newTestVault,
  openTest,
  summary,
  whileChanged,
  type TestVault,
} from '../testing/test-vault.ts';
import type { VerifyOptions, VerifyReport } from './report.ts';
import { verifyVault } from './verify.ts';

const day = 86_400_000_000;
const firstDay = 1_778_500_000_000_000;

describe('verify of a range', () => {
  let made: TestVault;
  /** Indices of the batches; one for each of four days, with full tiles between them. */
  let batches: number[];

  before(async () => {
    made = newTestVault();
    for (let i = 0; i < 4; i++) {
      made.receive(delivery(`line of day ${i}\n`, { received: micros(firstDay + i * day) }));
      await made.keep();
      const appender = await openTest(made);
      await appender.commit(beats(150), appender.intake());
      appender.close();
    }
    batches = made
      .files()
      .flatMap((path) => /^segment\/(\d+)\.zst$/.exec(path)?.[1] ?? [])
      .map(Number);
    assert.equal(batches.length, 4);
  });
  after(() => made.remove());

  const verifyRange = (range: VerifyOptions['range'], vkey = made.vkey): Promise<VerifyReport> =>
    verifyVault({ vault: made.vault, vkey, lock: join(made.keys, 'lock'), ...(range ? { range } : {}) });

  it('checks these entries up to the root, and says that it was these', async () => {
    const at = batches[1] ?? 0;
    const report = await verifyRange({ first: at - 2, end: at + 3 });
    assert.equal(summary(report), '');
    assert.deepEqual(report.scope, { first: at - 2, end: at + 3 });
    assert.deepEqual([report.entries, report.lines], [5, 1]);
    assert.ok(report.completeness.unknown.some((why) => /before and after the range/.test(why)));
    assert.deepEqual((await verifyRange({ first: 600, end: 10_000 })).scope, {
      first: 600,
      end: report.size,
    });
  });

  it('finds the batches by the time at which their lines were received', async () => {
    const report = await verifyRange({ since: firstDay + day, until: firstDay + 2 * day + 1 });
    assert.equal(summary(report), '');
    assert.deepEqual(report.scope, { first: batches[1], end: (batches[2] ?? 0) + 1 });
    assert.equal(report.lines, 2);
    const none = await verifyRange({ since: firstDay + 9 * day, until: null });
    assert.equal(none.entries, 0);
  });

  it('sees what was changed inside, and not what was changed outside', async () => {
    const [outside = 0, inside = 0] = batches;
    const range = { first: inside, end: inside + 1 };
    for (const [path, isSeen] of [
      [segmentPath(outside), false],
      [segmentPath(inside), true],
      ['tile/0/000', inside < 256],
      ['tile/entries/000', inside < 256],
      [`tile/1/000.p/2`, true],
      ['checkpoint', true],
      ['history/000', true],
    ] as const) {
      const bytes = Buffer.from(readFileSync(join(made.vault, path)));
      const at =
        path === 'history/000'
          ? historyOffset(made, inside)
          : path.startsWith('tile/0')
            ? inside * 32
            : bytes.length >> 1;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await whileChanged(made, path, bytes, async () => {
        const report = await verifyRange(range);
        assert.equal(report.ok, !isSeen, `${path}: ${summary(report)}`);
      });
    }
    await whileChanged(made, segmentPath(inside), null, async () =>
      assert.match(summary(await verifyRange(range)), /missing, and no entry says that it expired/),
    );
  });

  it('follows the keys to the one in force, and believes none that nothing leads to', async (t) => {
    const copy = made.copy();
    t.after(() => copy.remove());
    const appender = await openTest(copy);
    await appender.commit([{ kind: 'key', reason: 'yearly' }], '');
    await appender.commit(beats(3), '');
    appender.close();
    const now = readFileSync(join(copy.keys, 'vault.vkey'), 'utf8').trim();
    const range = { first: 0, end: 3 };
    for (const vkey of [copy.vkey, now]) {
      const report = await verifyVault({ vault: copy.vault, vkey, range });
      assert.equal(summary(report), '');
      assert.equal(report.keys?.inForce, now);
    }
    const stranger = newTestVault();
    t.after(() => stranger.remove());
    const report = await verifyVault({ vault: copy.vault, vkey: stranger.vkey, range });
    assert.match(summary(report), /^checkpoint: changed: nothing leads from key/m);
    assert.equal(report.keys?.inForce, null);
    const whole = await verifyVault({ vault: copy.vault, vkey: stranger.vkey });
    assert.match(summary(whole), /^checkpoint: changed: signed by another key than the one that was given/m);
  });
});

/** A byte within the note that the entry at `index` pins. */
const historyOffset = (made: TestVault, index: number): number => {
  const bytes = made.read('history/000');
  const at = bytes.indexOf(`\n${index - 1}\n`);
  return at > 0 ? at + 1 : bytes.indexOf(`\n${index}\n`) + 1;
};
