import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseCheckpoint } from '#vault/checkpoint';
import { decodeRecord } from '#vault/record';
import { leafHash, parseEntry, sha256, verifyInclusion } from '#vault/tree';
import { openAppender, type NewEntry } from '../append/appender.ts';
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

  it('reads amendments a bundle at a time, wherever they stand', async (t) => {
    const log = newTestVault();
    t.after(() => log.remove());
    const appender = await openAppender({ vault: log.vault, keys: log.keys, clock: log.clock });
    const held: NewEntry = { kind: 'hold', entry: { entries: { first: 0, end: 1 }, reason: 'r', by: 'b' } };
    for (let i = 0; i < 4; i++)
      await appender.commit([...beats(i), ...Array.from({ length: 250 }, () => held)], '');
    const size = appender.size();
    /** CPU time, which hardly depends on what else the machine does. */
    const timed = <T>(act: () => T): { result: T; ms: number } => {
      const from = process.cpuUsage();
      const result = act();
      const { user, system } = process.cpuUsage(from);
      return { result, ms: (user + system) / 1000 };
    };
    const entries = timed(() => openVault(log.vault).entries(0, size));
    const amended = timed(() => openVault(log.vault).amendments().all());
    assert.deepEqual(
      amended.result.map(({ index }) => index),
      entries.result.flatMap(({ index, entry }) => (entry.kind === 'hold' ? [index] : [])),
    );
    assert.equal(amended.result.length, 1000);
    assert.ok(amended.ms < 10 * entries.ms + 50, `${amended.ms} ms, all entries ${entries.ms} ms`);
    // With those that are known, new ones come in.
    const reader = openVault(log.vault);
    reader.amendments();
    await appender.commit([held, ...beats(1), held], '');
    assert.deepEqual(
      reader
        .amendments()
        .all()
        .slice(-3)
        .map(({ index }) => index),
      [size - 1, size, size + 2],
    );
    appender.close();
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

  it('checks the stored bytes of a batch without unpacking them', () => {
    const reader = openVault(made.vault, { vkey: made.vkey });
    reader.check(1);
    const path = made.files().find((file) => file.startsWith('segment/001')) ?? '';
    const bytes = made.read(path);
    made.write(path, Buffer.concat([bytes, Buffer.alloc(1)]));
    assert.throws(() => reader.check(1), corrupt);
    made.write(path, bytes);
    reader.check(1);
    assert.throws(
      () => reader.check(0),
      (error: unknown) => error instanceof VaultError && error.code === 'not-found',
    );
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
