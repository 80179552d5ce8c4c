import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { decompressSegment, encodeRedacted, parseSegment, segmentPath, sha256 } from '#vault/tree';
import type { Appender, NewEntry } from '../append/appender.ts';
import {
  delivery,
  openTest,
  summary,
  vaultFor,
  whileChanged,
  type TestVault,
} from '../testing/test-vault.ts';
import { newCoverage } from './coverage.ts';
import { verifyVault } from './verify.ts';

const by = 'a tester';

/** Entry 0 restart, 1 and 3 batches of three lines and a manifest (2 is a restart), and a writer on it. */
const twoBatches = async (t: TestContext): Promise<{ made: TestVault; appender: Appender }> => {
  const made = vaultFor(t);
  for (const text of ['one\ntwo\nthree\n', 'four\nfive\nsix\n']) {
    made.receive(delivery(text));
    await made.keep();
  }
  const appender = await openTest(made);
  t.after(() => appender.close());
  return { made, appender };
};

const expire = (first: number, end: number, name = 'default'): NewEntry => ({
  kind: 'expire',
  entry: { entries: { first, end }, class: name, policy: 'older-than-1d', by },
});
const hold = (first: number, end: number): NewEntry => ({
  kind: 'hold',
  entry: { entries: { first, end }, reason: 'a case', by },
});
const release = (index: number): NewEntry => ({
  kind: 'release',
  entry: { hold: index, reason: 'closed', by },
});

/** Takes a line out of the newest revision of a batch. @param from path of that revision */
const redact = (made: TestVault, entry: number, line: number, from = segmentPath(entry)): NewEntry => {
  const plain = encodeRedacted(parseSegment(decompressSegment(made.read(from))), line);
  const stored = zstdCompressSync(plain);
  const segment = { sha256: sha256(stored), length: stored.length };
  return { kind: 'redact', entry: { target: { entry, line }, segment, reason: 'a name', by }, stored };
};

const remove = (made: TestVault, path: string): void => rmSync(join(made.vault, path));
const beat: NewEntry = { kind: 'heartbeat' };

describe('verify of what has expired', () => {
  it('misses a segment where an entry covers it, and only there', async (t) => {
    const { made, appender } = await twoBatches(t);
    await appender.commit([expire(0, 2)], '');
    assert.equal(summary(await made.verify()), '', 'still there: the keeper may be about to remove it');
    remove(made, segmentPath(1));
    const report = await made.verify();
    assert.equal(summary(report), '');
    assert.deepEqual(report.completeness.removed, [
      { kind: 'expired', first: 1, end: 2, lines: 3, under: 4 },
    ]);
    remove(made, segmentPath(3));
    assert.match(summary(await made.verify()), /^segment\/003\.zst \[3:0\.\.3\]: missing, and no entry says/);
  });

  it('is not content with an entry of another class, nor with one that comes before the batch', async (t) => {
    const { made, appender } = await twoBatches(t);
    await appender.commit([expire(0, 4, 'other')], '');
    remove(made, segmentPath(1));
    assert.match(summary(await made.verify()), /^segment\/001\.zst .*missing/);
  });

  it('names what is still there long after', async (t) => {
    const { made, appender } = await twoBatches(t);
    await appender.commit([expire(0, 2)], 'removing 4\n');
    await appender.commit([beat], 'removing 4\n');
    assert.equal(summary(await made.verify()), '', 'the signer remembers that it has to remove it');
    await appender.commit([beat], '');
    assert.match(
      summary(await made.verify()),
      /^segment\/001\.zst: unexpected: expired under entry 4 and still there$/,
    );
  });

  it('reports an expiry under a hold in force, and none after its release', async (t) => {
    const { made, appender } = await twoBatches(t);
    await appender.commit([hold(0, 2), release(4), expire(0, 2), hold(3, 4)], '');
    assert.equal(summary(await made.verify()), '');
    await appender.commit([expire(2, 4), release(4), release(5)], '');
    assert.equal(
      summary(await made.verify()),
      [
        'segment/001.zst: unexpected: expired under entry 6 and still there',
        'tile/entries/000.p/11: entry 8, expire: it expires entry 3, which is under hold 7',
        'tile/entries/000.p/11: entry 9, release: it releases hold 4, which was released before',
        'tile/entries/000.p/11: entry 10, release: it releases entry 5, which is no hold',
      ].join('\n'),
    );
  });

  it('finds the earliest entry that covers a batch', () => {
    const entry = (index: number, first: number, end: number) => ({
      index,
      entry: {
        kind: 'expire' as const,
        entries: { first, end },
        class: 'default',
        policy: 'p',
        by,
        committed: 0 as never,
        prev: { size: 0, sha256: Buffer.alloc(32) },
      },
    });
    const coverage = newCoverage([entry(50, 10, 20), entry(60, 0, 30), entry(70, 40, 90), entry(80, 15, 45)]);
    const found = [0, 9, 10, 19, 20, 29, 30, 39, 40, 44, 45, 69, 70, 89].map((batch) =>
      coverage.of(batch, 'default'),
    );
    assert.deepEqual(found, [60, 60, 50, 50, 60, 60, 80, 80, 70, 70, 70, 70, null, null]);
    assert.equal(coverage.of(15, 'other'), null);
  });
});

describe('verify of what was redacted', () => {
  it('takes the newest revision, and reads the older one as what it is', async (t) => {
    const { made, appender } = await twoBatches(t);
    await appender.commit([redact(made, 1, 2)], 'removing 4\n');
    assert.equal(summary(await made.verify()), '', 'the older revision is about to be removed');
    await appender.commit([beat], '');
    assert.match(
      summary(await made.verify()),
      /^segment\/001\.zst: unexpected: entry 4 redacted a line of it, which can still be read here$/,
    );
    remove(made, segmentPath(1));
    assert.equal(summary(await made.verify()), '');
    await appender.commit([redact(made, 1, 3, segmentPath(1, 4))], '');
    remove(made, segmentPath(1, 4));
    const report = await made.verify();
    assert.equal(summary(report), '');
    assert.deepEqual(report.completeness.removed, [
      { kind: 'redacted', first: 1, end: 2, lines: 2, under: 6 },
    ]);
    const path = segmentPath(1, 6);
    const bytes = made.read(path);
    await whileChanged(made, path, bytes.subarray(1), async () =>
      assert.match(summary(await made.verify()), /^segment\/001\.r6\.zst .*truncated/),
    );
    copyFileSync(join(made.vault, path), join(made.vault, segmentPath(3, 6)));
    assert.match(
      summary(await made.verify()),
      /^segment\/003\.r6\.zst: unexpected: entry 6 redacts nothing of/,
    );
  });

  it('reports lines that were taken out without an entry, and lines that were not taken out', async (t) => {
    const { made, appender } = await twoBatches(t);
    const honest = redact(made, 1, 2);
    assert.ok(honest.kind === 'redact');
    const plain = encodeRedacted(parseSegment(decompressSegment(honest.stored)), 3);
    const stored = zstdCompressSync(plain);
    const segment = { sha256: sha256(stored), length: stored.length };
    await appender.commit([{ kind: 'redact', entry: { ...honest.entry, segment }, stored }], '');
    assert.match(summary(await made.verify()), /line 3 is taken out of it, and no entry says so/);
    const other = await twoBatches(t);
    const wrong = redact(other.made, 1, 2);
    assert.ok(wrong.kind === 'redact');
    const entry = { ...wrong.entry, target: { entry: 1, line: 3 } };
    await other.appender.commit([{ ...wrong, entry }], '');
    assert.match(summary(await other.made.verify()), /still holds line 3, which an entry says was redacted/);
  });

  it('reports what no entry may redact', async (t) => {
    const { made, appender } = await twoBatches(t);
    const good = redact(made, 1, 2);
    assert.ok(good.kind === 'redact');
    const at = (entry: number, line: number): NewEntry => ({
      ...good,
      entry: { ...good.entry, target: { entry, line } },
    });
    await appender.commit([at(0, 1), at(1, 0), at(1, 9), at(1, 2), at(40, 1)], '');
    await appender.commit([hold(3, 4), at(3, 1), expire(1, 2), at(1, 2), at(1, 3)], '');
    const found = summary(await made.verify());
    for (const said of [
      /entry 4, redact: it redacts a line of entry 0, which is no batch/,
      /entry 5, redact: it redacts line 0 of entry 1, the manifest/,
      /names line 9 of entry 1, which has lines 0 to 3/,
      /entry 8, redact: it redacts a line of entry 40, which comes after it/,
      /entry 10, redact: it redacts a line of entry 3, which is under hold 9/,
      /entry 12, redact: it redacts line 1:2, which was redacted before/,
      /entry 13, redact: it redacts a line of entry 1, which has expired under entry 11/,
    ])
      assert.match(found, said);
  });
});

describe('verify of vault/amendments', () => {
  it('wants the list to be exact', async (t) => {
    const { made, appender } = await twoBatches(t);
    writeFileSync(join(made.vault, 'amendments'), '4\n');
    assert.match(summary(await made.verify()), /^amendments: changed: it names the entries 4, which amend/);
    remove(made, 'amendments');
    await appender.commit([hold(0, 2), hold(2, 4)], '');
    const bytes = readFileSync(join(made.vault, 'amendments'));
    assert.equal(bytes.toString(), '4\n5\n');
    for (const [text, said] of [
      ['4\n', /leaves out the entries 5$/],
      ['4\n5\n6\n', /names the entries 6, which amend nothing$/],
      ['5\n4\n', /^amendments: changed: /],
      ['04\n5\n', /^amendments: changed: /],
      ['4\n5', /^amendments: changed: /],
      ['', /^amendments: changed: /],
    ] as const)
      await whileChanged(made, 'amendments', Buffer.from(text), async () =>
        assert.match(summary(await made.verify()), said, text),
      );
    await whileChanged(made, 'amendments', null, async () =>
      assert.match(summary(await made.verify()), /^amendments: missing: it names the entries 4, 5$/),
    );
  });

  it('judges segments by the entries under the root, whatever a changed bundle claims', async (t) => {
    const { made, appender } = await twoBatches(t);
    await appender.commit([redact(made, 1, 2)], '');
    remove(made, segmentPath(1));
    await appender.commit([beat], '');
    // The newest bundle no longer shows the redact entry; the one before does.
    const path = 'tile/entries/000.p/6';
    const bytes = made.read(path);
    const at = bytes.indexOf('holdfast.redact');
    const changed = Buffer.from(bytes);
    changed[at + 9] = 'x'.charCodeAt(0);
    await whileChanged(made, path, changed, async () => {
      const report = await verifyVault({ vault: made.vault, vkey: made.vkey, lock: join(made.keys, 'lock') });
      assert.deepEqual(
        report.problems.map(({ file }) => file),
        [path],
        summary(report),
      );
    });
  });
});
