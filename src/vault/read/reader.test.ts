import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseCheckpoint } from '#vault/checkpoint';
import { decodeRecord } from '#vault/record';
import { leafHash, parseEntry, sha256, verifyInclusion } from '#vault/tree';
import { openAppender } from '../append/appender.ts';
import { beats, delivery, newTestVault, type TestVault } from '../testing/test-vault.ts';
import { VaultError } from '../errors.ts';
import { openVault } from './reader.ts';

const corrupt = (error: unknown): boolean => error instanceof VaultError && error.code === 'corrupt';

describe('reader', () => {
  let made: TestVault;
  before(async () => {
    made = newTestVault();
    made.receive(delivery('one\ntwo\nthree\n'));
    await made.keep();
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock });
    await appender.commit(beats(600), appender.intake());
    appender.close();
    made.receive(delivery('last\n'));
    await made.keep();
  });
  after(() => made.remove());

  it('gives every entry, and every line of a batch with where it begins', () => {
    const reader = openVault(made.vault, { vkey: made.vkey });
    const size = reader.checkpoint()?.size ?? 0;
    const entries = reader.entries(0, size);
    assert.deepEqual(
      entries.map(({ index }) => index),
      Array.from({ length: size }, (_, i) => i),
    );
    assert.deepEqual(entries.slice(250, 260), reader.entries(250, 260));
    assert.deepEqual(
      [entries[0]?.entry.kind, entries[1]?.entry.kind, entries[300]?.entry.kind],
      ['restart', 'batch', 'heartbeat'],
    );
    const batch = reader.batch(1, 'root');
    const raws = Array.from({ length: batch.lineCount - 1 }, (_, i) =>
      decodeRecord(batch.records, batch.offsets[i + 1]).record.raw.toString(),
    );
    assert.deepEqual(raws, ['one', 'two', 'three']);
    assert.equal(batch.offsets[batch.lineCount], batch.records.length);
    assert.equal(batch.committed, entries[1]?.entry.committed);
  });

  it('sees a new checkpoint as soon as it is published', async () => {
    const reader = openVault(made.vault, { vkey: made.vkey });
    const older = reader.checkpoint();
    assert.equal(reader.checkpoint(), older, 'the same object: nothing was read');
    await made.keep();
    assert.ok((reader.checkpoint()?.size ?? 0) > (older?.size ?? 0));
    const renamed = join(made.vault, 'away');
    renameSync(join(made.vault, 'checkpoint'), renamed);
    assert.equal(reader.checkpoint(), null);
    renameSync(renamed, join(made.vault, 'checkpoint'));
  });

  it('refuses what is not under the root', () => {
    const size = openVault(made.vault).checkpoint()?.size ?? 0;
    for (const path of made
      .files()
      .filter((file) => /^(?:tile\/[012]\/|tile\/entries\/|segment\/001)/.test(file))) {
      const bytes = made.read(path);
      const changed = Buffer.from(bytes);
      changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
      made.write(path, changed);
      const readAll = (): void => {
        const reader = openVault(made.vault, { vkey: made.vkey });
        reader.entries(0, size);
        reader.batch(1, 'root');
      };
      const isOld = path.includes('.p/') && !path.endsWith(`/${size % 256}`) && !path.endsWith('/2');
      if (isOld || /^tile\/1\/000\.p\/1$/.test(path)) readAll();
      else assert.throws(readAll, corrupt, path);
      made.write(path, bytes);
    }
    const other = newTestVault();
    assert.throws(() => openVault(made.vault, { vkey: other.vkey }).checkpoint(), corrupt);
    other.remove();
  });

  it('tells an entry without lines and one beyond the checkpoint apart', () => {
    const reader = openVault(made.vault);
    assert.throws(
      () => reader.batch(0),
      (error) => error instanceof VaultError && error.code === 'not-found',
    );
    assert.throws(
      () => reader.entries(0, 10_000),
      (error) => error instanceof VaultError && error.code === 'expected-more',
    );
    assert.deepEqual(reader.entries(5, 5), []);
  });

  it('proves a line, up to the checkpoint, and no other line', () => {
    const reader = openVault(made.vault, { vkey: made.vkey });
    const size = reader.checkpoint()?.size ?? 0;
    for (const { index, entry } of reader.entries(0, size)) {
      if (entry.kind !== 'batch') continue;
      for (let line = 0; line < entry.lines; line++) {
        const proof = reader.prove(index, line);
        const leaf = sha256(Buffer.concat([Buffer.from([0]), proof.salt, proof.record]));
        const named = parseEntry(proof.entry);
        assert.ok(named.kind === 'batch');
        assert.ok(
          verifyInclusion({ index: line, size: named.lines, leaf, path: proof.innerPath, root: named.root }),
        );
        const { root } = parseCheckpoint(proof.checkpoint);
        const outer = { index, size, path: proof.outerPath, root };
        assert.ok(verifyInclusion({ ...outer, leaf: leafHash(proof.entry) }));
        assert.ok(!verifyInclusion({ ...outer, leaf: leaf }));
      }
    }
    for (const index of [0, 100, 255, 256, 511, size - 1]) {
      const [entry] = reader.entries(index, index + 1);
      assert.ok(entry);
    }
  });

  it('gives up a vault that is gone with a reason', () => {
    const lost = newTestVault();
    const reader = openVault(lost.vault);
    rmSync(lost.vault, { recursive: true });
    assert.equal(reader.checkpoint(), null);
    lost.remove();
  });
});
