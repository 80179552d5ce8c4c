import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseHistory, parseNote } from '#vault/checkpoint';
import type { Appender, NewEntry } from '../append/appender.ts';
import { openTest, summary, vaultFor, whileChanged, type TestVault } from '../testing/test-vault.ts';
import type { VerifyReport } from './report.ts';
import { verifyVault } from './verify.ts';

const beat: NewEntry = { kind: 'heartbeat' };
const rotate: NewEntry = { kind: 'key', reason: 'yearly' };

/** Checkpoints of sizes 0–6; the key is replaced by entries 1 (under size 3) and 4 (under size 5). */
const rotated = async (
  t: TestContext,
): Promise<{ made: TestVault; appender: Appender; vkeys: [string, string, string] }> => {
  const made = vaultFor(t);
  const appender = await openTest(made);
  t.after(() => appender.close());
  const now = (): string => readFileSync(join(made.keys, 'vault.vkey'), 'utf8').trim();
  const first = now();
  await appender.commit([beat], '');
  await appender.commit([rotate, beat], '');
  const second = now();
  await appender.commit([beat], '');
  await appender.commit([rotate], '');
  await appender.commit([beat], '');
  return { made, appender, vkeys: [first, second, now()] };
};

const verifyBy = ({ vault, keys }: TestVault, vkey: string): Promise<VerifyReport> =>
  verifyVault({ vault, vkey, lock: join(keys, 'lock') });

const idOf = (vkey: string): string => vkey.split('+')[1] ?? '';

describe('verify of a log whose key was replaced', () => {
  it('goes from any of its keys to the one in force, and says which signatures it could not check', async (t) => {
    const { made, vkeys } = await rotated(t);
    for (const [i, vkey] of vkeys.entries()) {
      const report = await verifyBy(made, vkey);
      assert.equal(summary(report), '', `key ${i}`);
      assert.deepEqual(report.keys, {
        given: idOf(vkey),
        inForce: vkeys[2],
        replaced: 2,
        uncheckedTo: i === 0 ? null : i === 1 ? 3 : 3,
      });
    }
    const other = vaultFor(t);
    assert.match(summary(await verifyBy(made, other.vkey)), /^checkpoint: changed: signed by another key/m);
  });

  it('names the history where one bit of any signature was changed', async (t) => {
    const { made, vkeys } = await rotated(t);
    const bytes = made.read('history/000');
    const { notes } = parseHistory(bytes);
    let at = 0;
    for (const note of notes) {
      const from = at + 2 + note.indexOf('\u2014');
      for (const where of [from + 60, at + 2 + note.length - 20]) {
        const changed = Buffer.from(bytes);
        changed[where] = changed[where] === 0x41 ? 0x42 : 0x41;
        await whileChanged(made, 'history/000', changed, async () => {
          for (const vkey of [vkeys[0], vkeys[2]])
            assert.match(summary(await verifyBy(made, vkey)), /^history\/000: /m, `byte ${where}`);
        });
      }
      at += 2 + note.length;
    }
  });

  it('wants two signatures under a key entry, and one everywhere else', async (t) => {
    const { made, appender, vkeys } = await rotated(t);
    await appender.commit([rotate], '');
    const note = made.read('checkpoint');
    assert.equal(parseNote(note).signatures.length, 2);
    const lines = note.toString('utf8').trimEnd().split('\n');
    const [first, second] = lines.slice(-2);
    const text = lines.slice(0, -2).join('\n');
    for (const signatures of [
      [first],
      [second],
      [second, first],
      [first, second?.replace(/.{20}$/, 'A'.repeat(18) + '==')],
    ]) {
      const changed = Buffer.from(`${text}\n${signatures.join('\n')}\n`);
      await whileChanged(made, 'checkpoint', changed, async () =>
        assert.match(summary(await verifyBy(made, vkeys[0])), /^checkpoint: changed: /m, String(signatures)),
      );
    }
    assert.equal(summary(await verifyBy(made, vkeys[0])), '');
  });

  it('does not believe a key that only a bundle names', async (t) => {
    const { made, vkeys } = await rotated(t);
    const stranger = vaultFor(t);
    // The second replacement now names a stranger's key, in every bundle that has it.
    for (const path of ['tile/entries/000.p/5', 'tile/entries/000.p/6']) {
      const bytes = made.read(path);
      const at = bytes.indexOf(vkeys[2]);
      Buffer.from(stranger.vkey).copy(bytes, at);
      made.write(path, bytes);
    }
    const report = await verifyBy(made, vkeys[0]);
    assert.ok(!report.ok);
    assert.match(summary(report), /^checkpoint: changed: signed by another key/m);
    assert.notEqual(report.keys?.inForce, stranger.vkey);
  });

  it('sees a rollback over a replacement', async (t) => {
    const { made, appender, vkeys } = await rotated(t);
    const old = made.copy();
    t.after(() => old.remove());
    await appender.commit([rotate], '');
    await appender.commit([beat], '');
    rmSync(old.keys, { recursive: true });
    const report = await verifyVault({ vault: old.vault, vkey: vkeys[0], lock: join(made.keys, 'lock') });
    assert.match(summary(report), /^checkpoint: rolled back, or the lock record is of another log/m);
  });
});
