import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { leafHash } from '#vault/tree';
import { openAppender } from '../append/appender.ts';
import { beats, newTestVault, summary, whileChanged } from '../testing/test-vault.ts';

describe('verify of a log with full tiles', () => {
  it('names what was changed in any level', async (t) => {
    const made = newTestVault();
    t.after(() => made.remove());
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    for (const count of [200, 56, 300, 44, 7]) await appender.commit(beats(count), '');
    assert.equal(summary(await made.verify()), '');
    for (const path of made.files()) {
      const bytes = made.read(path);
      for (const at of [0, 31, Math.floor(bytes.length / 2), bytes.length - 1]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 0x10;
        await whileChanged(made, path, changed, async () => {
          const report = await made.verify();
          assert.deepEqual(
            [...new Set(report.problems.map((problem) => problem.file))],
            [path],
            `byte ${at} of ${path}:\n${summary(report)}`,
          );
        });
      }
      await whileChanged(made, path, null, async () => {
        const report = await made.verify();
        assert.deepEqual(
          [...new Set(report.problems.map((problem) => problem.file))],
          [path],
          `without ${path}:\n${summary(report)}`,
        );
      });
    }
    const swapped = ['tile/0/000', 'tile/0/001'].map((path) => made.read(path));
    made.write('tile/0/000', swapped[1] ?? Buffer.alloc(0));
    made.write('tile/0/001', swapped[0] ?? Buffer.alloc(0));
    assert.deepEqual(
      (await made.verify()).problems.map((problem) => problem.file),
      ['tile/0/000', 'tile/0/001'],
    );
  });

  it('names the entries where files were changed so that they agree with each other', async (t) => {
    const made = newTestVault();
    t.after(() => made.remove());
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    for (const _ of [1, 2, 3]) await appender.commit([{ kind: 'heartbeat' }], '');
    // The second entry is altered in its bundle, and its hash in every tile.
    for (const width of [2, 3]) {
      const bundle = made.read(`tile/entries/000.p/${width}`);
      const length = bundle.readUInt16BE(0);
      const at = bundle.indexOf('committed', 2 + length) + 12;
      bundle[at] = (bundle[at] ?? 0) ^ 1;
      made.write(`tile/entries/000.p/${width}`, bundle);
      const entry = bundle.subarray(4 + length, 4 + length + bundle.readUInt16BE(2 + length));
      const tile = made.read(`tile/0/000.p/${width}`);
      leafHash(entry).copy(tile, 32);
      made.write(`tile/0/000.p/${width}`, tile);
    }
    assert.match(
      summary(await made.verify()),
      /entries 1 to 1 are not those that the checkpoint of size 2 signed/,
    );
  });
});
