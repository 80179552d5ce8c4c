import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openVault } from '#vault/read';
import { decodeRecord } from '#vault/record';
import { VaultError } from '../errors.ts';
import { openAppender } from './appender.ts';
import { startSequencer } from './sequencer.ts';
import {
  assertIntact,
  beats,
  delivery,
  linesOf,
  openTest,
  vaultFor,
  type TestVault,
} from '../testing/test-vault.ts';

type Manifest = {
  kind: string;
  entry: number;
  senders: unknown[];
  others: unknown;
  intake: unknown[];
  lost: { pieces: number; bytes: number };
};

const manifestsOf = ({ vault, vkey }: TestVault): Manifest[] => {
  const reader = openVault(vault, { vkey });
  return reader
    .entries(0, reader.checkpoint()?.size ?? 0)
    .filter(({ entry }) => entry.kind === 'batch')
    .map(({ index }) => {
      const { record } = decodeRecord(reader.batch(index).records, 0);
      assert.equal(record.listener, 'keeper');
      return JSON.parse(record.raw.toString());
    });
};

describe('keeping', () => {
  it('takes intake into the vault, once, and removes it afterwards', async (t) => {
    const made = vaultFor(t);
    const old = made.receive(delivery('one\ntwo\n'), delivery('three\n', { peer: 'other' }));
    const newest = made.receive(delivery('four\n'));
    await made.keep();
    assert.deepEqual(linesOf(made), ['one', 'two', 'three', 'four']);
    await assertIntact(made);
    const left = readdirSync(made.intake);
    assert.ok(
      !left.includes(old) && left.includes(newest),
      'the newest file is the receiver’s to go on with',
    );
    await made.keep();
    assert.deepEqual(linesOf(made), ['one', 'two', 'three', 'four'], 'nothing twice');
    await assertIntact(made);
  });
  it('writes a manifest that names senders, intake and losses', async (t) => {
    const made = vaultFor(t);
    const torn = delivery('torn\n').subarray(0, 30);
    const file = made.receive(delivery('a\nb\n', { stream: 's', sequence: 5 }), torn);
    made.receive();
    await made.keep();
    const manifests = manifestsOf(made);
    const end = delivery('a\nb\n', { stream: 's', sequence: 5 }).length;
    const [first, ...others] = manifests;
    const lost = manifests.map((manifest) => manifest.lost);
    assert.deepEqual(first, {
      kind: 'manifest',
      entry: 1,
      senders: [
        {
          listener: 'syslog-tcp=127.0.0.1:5514',
          peer: '192.0.2.7:51234',
          stream: 's',
          firstSequence: 5,
          count: 2,
        },
      ],
      others: { senders: 0, lines: 0 },
      intake: [{ file, from: 0, to: end }],
      lost: lost[0],
    });
    for (const manifest of others) assert.deepEqual([manifest.senders, manifest.intake], [[], []]);
    assert.deepEqual(
      lost.filter(({ pieces }) => pieces > 0),
      [{ pieces: 1, bytes: 30 }],
    );
    assert.deepEqual(JSON.parse(linesOf(made).at(-1) ?? ''), {
      kind: 'loss',
      cause: 'torn intake',
      file,
      from: end,
      bytes: 30,
    });
    await assertIntact(made);
  });
  it('sets a damaged file aside', async (t) => {
    const made = vaultFor(t);
    const file = made.receive(delivery('a\n'), Buffer.from('this is no delivery'));
    made.receive(delivery('b\n'));
    await made.keep();
    assert.equal(linesOf(made).filter((line) => line.includes('damaged intake')).length, 1);
    assert.ok(linesOf(made).includes('a') && linesOf(made).includes('b'));
    assert.deepEqual(readdirSync(join(made.intake, 'damaged')), [file]);
    await assertIntact(made);
  });
  it('cuts batches at 65,536 lines, and a delivery may lie across the cut', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('x\n'.repeat(70_000), { listener: '', peer: '' }));
    await made.keep();
    assert.equal(linesOf(made).length, 70_000);
    assert.equal(openVault(made.vault).batch(1).lineCount, 65_536);
    await assertIntact(made);
  });
  it('stops in time when asked to, leaves the rest in intake, and takes each line once', async (t) => {
    const made = vaultFor(t);
    const lines = 400_000;
    const block = 2000;
    const deliveries = Array.from({ length: lines / block }, (_, i) =>
      delivery(Array.from({ length: block }, (_line, k) => `${i * block + k}\n`).join('')),
    );
    made.receive(...deliveries.slice(0, 20));
    made.receive(...deliveries.slice(20));
    const stopWithin = async (ms: number): Promise<number> => {
      const appender = await openTest(made);
      const sequencer = startSequencer({
        appender,
        intake: made.intake,
        clock: made.clock,
        host: 'test',
        log: () => undefined,
      });
      const began = performance.now();
      await sequencer.stop(ms);
      appender.close();
      await assertIntact(made);
      return performance.now() - began;
    };
    await stopWithin(0);
    assert.deepEqual(linesOf(made), []);
    // On a busy machine it takes a while to take anything.
    let took = 0;
    for (let ms = 200; linesOf(made).length === 0 && ms < 60_000; ms *= 2) took = await stopWithin(ms);
    const taken = linesOf(made).length;
    assert.ok(taken > 0 && taken < lines, `${taken} lines in ${took} ms`);
    assert.ok(readdirSync(made.intake).length > 0);
    await made.keep();
    assert.deepEqual(
      linesOf(made),
      Array.from({ length: lines }, (_, i) => String(i)),
    );
  });
  it('does not wait for space when it stops: what is not committed stays in intake', async (t) => {
    const made = vaultFor(t);
    made.receive(delivery('one\n'));
    const files = made.files();
    const said: string[] = [];
    let isFull = true;
    const step = (what: string): void => {
      if (isFull && what.startsWith('before write')) throw new VaultError('no-space', 'full');
    };
    const appender = await openAppender({ vault: made.vault, keys: made.keys, clock: made.clock, step });
    const sequencer = startSequencer({
      appender,
      intake: made.intake,
      clock: made.clock,
      host: 'test',
      log: (_level, text) => said.push(text),
    });
    await sleep(100);
    const began = performance.now();
    await sequencer.stop(60_000);
    assert.ok(performance.now() - began < 30_000);
    appender.close();
    assert.deepEqual(made.files(), files);
    assert.match(said.join('\n'), /Nothing is lost: lines stay in .* they are taken after the next start/);
    isFull = false;
    await made.keep();
    assert.deepEqual(linesOf(made), ['one']);
    await assertIntact(made);
  });
  it('keeps every published checkpoint, and partial tiles until the full one is there', async (t) => {
    const made = vaultFor(t);
    const appender = await openTest(made);
    for (const count of [100, 1, 154, 1, 1, 40, 1, 1]) await appender.commit(beats(count), '');
    await assertIntact(made);
    // Of the sizes 100, 101, 255, 256, 257, 297, 298 and 299.
    const partials = made.files().filter((path) => path.startsWith('tile/0/') && path.includes('.p/'));
    assert.deepEqual(
      partials,
      [1, 41, 42, 43].map((width) => `tile/0/001.p/${width}`),
    );
    assert.ok(made.files().includes('tile/0/000'));
  });
});
