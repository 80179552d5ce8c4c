import assert from 'node:assert/strict';
import { generateKeyPairSync, createPrivateKey } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  checkpointText,
  cosign,
  formatWitnessVkey,
  parseNote,
  parseVkey,
  parseWitnessVkey,
  signNote,
  type WitnessSigner,
} from '#vault/checkpoint';
import type { Appender } from '../append/appender.ts';
import { beats, openTest, summary, vaultFor, type TestVault } from '../testing/test-vault.ts';
import type { VerifyOptions, VerifyReport } from './report.ts';
import { verifyVault } from './verify.ts';

/** Checkpoints of sizes 0, 1, 2 and 5, each with its note. */
const grown = async (
  t: TestContext,
): Promise<{ made: TestVault; appender: Appender; notes: Map<number, Buffer> }> => {
  const made = vaultFor(t);
  const appender = await openTest(made);
  t.after(() => appender.close());
  const notes = new Map([[0, made.read('checkpoint')]]);
  for (const count of [1, 1, 3]) {
    await appender.commit(beats(count), '');
    notes.set(appender.size(), made.read('checkpoint'));
  }
  return { made, appender, notes };
};

const verifyWith = (made: TestVault, options: Partial<VerifyOptions>): Promise<VerifyReport> =>
  verifyVault({ vault: made.vault, vkey: made.vkey, lock: join(made.keys, 'lock'), ...options });

const newWitness = (name: string): { text: string; signer: WitnessSigner } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = formatWitnessVkey(name, publicKey);
  return { text, signer: { vkey: parseWitnessVkey(text), privateKey } };
};

const cosigned = (note: Buffer, witness: WitnessSigner, time: number): Buffer =>
  Buffer.concat([note, Buffer.from(cosign({ text: parseNote(note).text, witness, time }))]);

/** A note by the log's own key that the log does not contain. */
const forged = (made: TestVault, size: number): Buffer => {
  const vkey = parseVkey(made.vkey);
  const privateKey = createPrivateKey(readFileSync(join(made.keys, 'signer.key')));
  return signNote(checkpointText(vkey.name, size, Buffer.alloc(32, 7)), {
    name: vkey.name,
    keyId: vkey.keyId,
    privateKey,
  });
};

describe('verify against what somebody remembers', () => {
  it('is at least as new as the newest note that the log contains, and not current by it', async (t) => {
    const { made, notes } = await grown(t);
    const without = await verifyWith(made, {});
    assert.equal(without.freshness.verdict, 'unknown');
    assert.equal(without.freshness.signer.says, 'the same');
    const seen = [0, 2].map((size) => ({ name: `mail ${size}`, note: notes.get(size) ?? Buffer.alloc(0) }));
    const report = await verifyWith(made, { seen });
    assert.equal(summary(report), '');
    assert.equal(report.freshness.verdict, 'unknown');
    assert.equal(
      report.freshness.detail,
      'at least as new as what mail 2 remembers (size 2); 3 entries have come since, which nobody outside vouches for; no witness that is known was heard',
    );
  });

  it('knows a rollback of everything by it', async (t) => {
    const { made, appender, notes } = await grown(t);
    const old = made.copy();
    t.after(() => old.remove());
    await appender.commit(beats(1), '');
    const seen = [{ name: 'printout', note: made.read('checkpoint') }];
    assert.equal((await verifyWith(old, {})).freshness.verdict, 'unknown');
    for (const range of [undefined, { first: 0, end: 2 }]) {
      const report = await verifyWith(old, { seen, ...(range ? { range } : {}) });
      assert.match(summary(report), /^checkpoint: rolled back: it ends at 5, printout remembers 6$/);
      assert.equal(report.freshness.verdict, 'contradicted');
      assert.equal(
        report.freshness.detail,
        'printout remembers size 6; the vault ends at 5: it was put back. Restore the newer state',
      );
    }
    assert.ok(notes.size > 0);
  });

  it('shows both notes of a split view', async (t) => {
    const { made, notes } = await grown(t);
    for (const size of [2, 3]) {
      const note = forged(made, size);
      const report = await verifyWith(made, { seen: [{ name: 'agent', note }] });
      assert.match(
        summary(report),
        new RegExp(`^checkpoint: forked: agent remembers root .* for size ${size}`),
      );
      assert.equal(report.freshness.verdict, 'contradicted');
      assert.deepEqual(report.freshness.split, [
        { by: 'agent', theirs: note.toString(), ours: (notes.get(size) ?? notes.get(5))?.toString() },
      ]);
    }
    const two = [forged(made, 9), signedLike(made, 9)].map((note, i) => ({ name: `agent ${i}`, note }));
    const report = await verifyWith(made, { seen: two });
    assert.equal(report.freshness.verdict, 'contradicted');
    assert.match(summary(report), /^agent 1: forked: it contradicts agent 0 at size 9$/m);
  });

  it('makes nothing of notes that are not by this log', async (t) => {
    const { made, notes } = await grown(t);
    const other = await grown(t);
    const seen = [
      { name: 'another log', note: other.made.read('checkpoint') },
      { name: 'noise', note: Buffer.from('noise') },
      { name: 'changed', note: Buffer.from(String(notes.get(2)).replace('\n2\n', '\n3\n')) },
    ];
    const report = await verifyWith(made, { seen });
    assert.equal(summary(report), '');
    assert.equal(report.freshness.verdict, 'unknown');
    assert.deepEqual(
      report.freshness.unusable.map(({ by }) => by),
      ['another log', 'noise', 'changed'],
    );
  });
});

/** µs, as a clock says it. */
const at =
  (seconds: number): (() => number) =>
  () =>
    seconds * 1_000_000;

/** Another root again. */
const signedLike = (made: TestVault, size: number): Buffer => {
  const vkey = parseVkey(made.vkey);
  const privateKey = createPrivateKey(readFileSync(join(made.keys, 'signer.key')));
  const signer = { name: vkey.name, keyId: vkey.keyId, privateKey };
  return signNote(checkpointText(vkey.name, size, Buffer.alloc(32, 8)), signer);
};

describe('verify of checkpoint.witnessed', () => {
  const time = 1_800_000_000;

  it('counts the witnesses that are known, and says when they looked', async (t) => {
    const { made, notes } = await grown(t);
    const [known, unknown] = [newWitness('w.example/known'), newWitness('w.example/unknown')];
    const note = notes.get(2) ?? Buffer.alloc(0);
    made.write('checkpoint.witnessed', cosigned(cosigned(note, unknown.signer, 5), known.signer, time));
    const blind = await verifyWith(made, {});
    assert.equal(summary(blind), '');
    assert.equal(blind.freshness.verdict, 'unknown');
    const report = await verifyWith(made, { witnesses: [known.text], now: at(time + 30) });
    assert.equal(report.freshness.verdict, 'current');
    assert.deepEqual(report.freshness.remembered, [
      { by: 'w.example/known', size: 2, at: '2027-01-15T08:00:00Z' },
    ]);
    assert.equal(
      report.freshness.detail,
      'as new as what w.example/known remembered at 2027-01-15T08:00:00Z, size 2; 3 entries have come since, which nobody outside vouches for',
    );
  });

  it('makes the log current for five minutes, and for as long as no keeper began unwitnessed since', async (t) => {
    const { made, appender, notes } = await grown(t);
    const { text, signer } = newWitness('w.example/1');
    const wrong = newWitness('w.example/wrong-clock');
    const note = cosigned(notes.get(5) ?? Buffer.alloc(0), signer, time);
    made.write('checkpoint.witnessed', note);
    const look = async (after: number | null, range?: VerifyOptions['range']): Promise<string> => {
      const { freshness, ok } = await verifyWith(made, {
        witnesses: [text, wrong.text],
        ...(after === null ? {} : { now: at(time + after) }),
        ...(range === undefined ? {} : { range }),
      });
      assert.ok(ok);
      return `${freshness.verdict}: ${freshness.detail}`;
    };
    for (const after of [-60, 0, 300])
      assert.match(await look(after), /^current: as new as what w\.example\/1 remembered at \S+Z, size 5$/);
    // What the reviewer of a restored state saw called current.
    assert.match(
      await look(14 * 60),
      /^unknown: w\.example\/1 last spoke at 2027-01-15T08:00:00Z for size 5: that is more than 5 minutes ago/,
    );
    assert.match(await look(301), /^unknown: /);
    assert.match(await look(-61), /^unknown: .* ahead of this clock \(2027-01-15T07:58:59Z\)/);
    assert.match(await look(null), /^unknown: .* nobody says what time it is/);
    made.write('checkpoint.witnessed', cosigned(note, wrong.signer, time + 9999));
    assert.match(await look(10), /^current: as new as what w\.example\/1 /);

    await appender.commit([{ kind: 'restart', reason: 'start' }], '');
    assert.match(await look(10), /^current: .*; 1 entry has come since/);
    await appender.commit([...beats(300), { kind: 'restart', reason: 'unwitnessed' }, ...beats(2)], '');
    for (const range of [undefined, { first: 0, end: 2 }])
      assert.match(
        await look(10, range),
        /^unknown: w\.example\/1 last spoke at .* for size 5: the keeper has started since without an answer/,
      );
    made.write('checkpoint.witnessed', cosigned(made.read('checkpoint'), signer, time + 5));
    for (const range of [undefined, { first: 0, end: 2 }])
      assert.match(await look(10, range), /^current: .*, size 309$/);
  });

  it('is current by a given note too, if a known witness cosigned that lately', async (t) => {
    const { made, notes } = await grown(t);
    const { text, signer } = newWitness('w.example/1');
    const seen = [{ name: 'memory', note: cosigned(notes.get(2) ?? Buffer.alloc(0), signer, time) }];
    const lately = await verifyWith(made, { seen, witnesses: [text], now: at(time + 60) });
    assert.equal(lately.freshness.verdict, 'current');
    assert.match(lately.freshness.detail, /^as new as what w\.example\/1 \(memory\) remembered at /);
    const later = await verifyWith(made, { seen, witnesses: [text], now: at(time + 600) });
    assert.equal(later.freshness.verdict, 'unknown');
    assert.match(
      later.freshness.detail,
      /^at least as new as what memory remembers \(size 2\); 3 entries .*; w\.example\/1 \(memory\) last spoke at /,
    );
    const unnamed = await verifyWith(made, { seen, now: at(time + 60) });
    assert.equal(unnamed.freshness.verdict, 'unknown');
  });

  it('counts where the log’s key was replaced since, by whichever key it is verified', async (t) => {
    const { made, appender, notes } = await grown(t);
    const { text, signer } = newWitness('w.example/1');
    made.write('checkpoint.witnessed', cosigned(notes.get(5) ?? Buffer.alloc(0), signer, time));
    await appender.commit([{ kind: 'key', reason: 'yearly' }], '');
    const vkey = readFileSync(join(made.keys, 'vault.vkey'), 'utf8').trim();
    assert.notEqual(vkey, made.vkey);
    for (const key of [vkey, made.vkey])
      for (const range of [undefined, { first: 0, end: 2 }]) {
        const options = { vkey: key, witnesses: [text], now: at(time + 60), ...(range ? { range } : {}) };
        const report = await verifyWith(made, options);
        assert.equal(summary(report), '');
        assert.equal(report.freshness.verdict, 'current');
      }
  });

  it('names it where it is not what was published, or not what was cosigned', async (t) => {
    const { made, appender, notes } = await grown(t);
    const { text, signer } = newWitness('w.example/w');
    const note = notes.get(2) ?? Buffer.alloc(0);
    const good = cosigned(note, signer, time);
    const badCosignature = Buffer.from(good);
    const place = good.length - 30;
    badCosignature[place] = badCosignature[place] === 0x41 ? 0x42 : 0x41;
    for (const [bytes, said] of [
      [badCosignature, /^checkpoint\.witnessed: changed: the cosignature of w\.example\/w does not match/],
      [note, /^checkpoint\.witnessed: nobody has cosigned it/],
      [Buffer.from(String(good).replace('\n2\n', '\n3\n')), /^checkpoint\.witnessed: changed: /],
      [Buffer.from(`${String(note)}\u2014 w.example/w AAAAAAAAAAA=\n`), /is no cosignature$/],
      [cosigned(forged(made, 2), signer, time), /^checkpoint: forked: checkpoint\.witnessed remembers/],
      [
        cosigned(forged(made, 7), signer, time),
        /^checkpoint: rolled back: it ends at 5, checkpoint\.witnessed/,
      ],
      [Buffer.from('x'), /^checkpoint\.witnessed: changed: /],
    ] as const) {
      made.write('checkpoint.witnessed', bytes);
      assert.match(summary(await verifyWith(made, { witnesses: [text] })), said);
    }
    rmSync(join(made.vault, 'checkpoint.witnessed'));
    appender.close();
    assert.match(summary(await verifyWith(made, { witnesses: ['nonsense'] })), /^witness key: /);
  });
});
