import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { micros } from '#base/clock';
import { cosign, formatWitnessVkey, parseNote, parseWitnessVkey } from '#vault/checkpoint';
import { growVault, type GrownVault } from '../index/testing/grown-vault.ts';
import { openFreshness, type Freshness } from './freshness.ts';

const newWitness = (name: string): { text: string; line(note: Buffer, time: number): string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = formatWitnessVkey(name, publicKey);
  const witness = { vkey: parseWitnessVkey(text), privateKey };
  return { text, line: (note, time) => cosign({ text: parseNote(note).text, witness, time }) };
};

const witness = newWitness('w.example/1');
const time = 1_800_000_000;

/** A vault of one batch. */
const grown = async (t: TestContext): Promise<GrownVault & { newest(): Buffer }> => {
  const made = await growVault();
  t.after(() => made.remove());
  await made.grow([{ raw: 'one' }]);
  return { ...made, newest: () => readFileSync(join(made.vault, 'checkpoint')) };
};

const publishWitnessed = ({ vault }: GrownVault, note: Buffer, ...lines: string[]): void =>
  writeFileSync(join(vault, 'checkpoint.witnessed'), `${note.toString()}${lines.join('')}`);

/** As it is said so many seconds after the witness spoke. */
const said = (
  { vault, keys, readKey }: GrownVault,
  after = 30,
  witnesses: readonly string[] = [witness.text],
): Freshness =>
  openFreshness({
    vault,
    keys,
    readKey,
    witnesses,
    clock: { now: () => micros((time + after) * 1_000_000), elapsed: () => 0 },
  })();

describe('the verdict on freshness', () => {
  it('is unknown without a witness, and until one that is known has cosigned', async (t) => {
    const made = await grown(t);
    const { detail, unwatched } = said(made, 0, []);
    assert.match(detail, /^no witness is configured/);
    assert.equal(unwatched, true);
    assert.deepEqual(said(made), { verdict: 'unknown', detail: 'no witness has cosigned yet' });
    publishWitnessed(made, made.newest(), newWitness('w.example/1').line(made.newest(), time));
    assert.deepEqual(said(made), { verdict: 'unknown', detail: 'no witness that is known has cosigned' });
    const missing = openFreshness({
      ...made,
      readKey: () => ({ missing: 'no key' }),
      witnesses: [witness.text],
      clock: { now: () => micros(0), elapsed: () => 0 },
    });
    assert.equal(missing().verdict, 'unknown');
  });

  it('is current for five minutes after a witness has cosigned, and says what has come since', async (t) => {
    const made = await grown(t);
    publishWitnessed(made, made.newest(), witness.line(made.newest(), time));
    for (const after of [-60, 0, 300])
      assert.deepEqual(said(made, after), {
        verdict: 'current',
        detail: 'as new as what w.example/1 remembered at 2027-01-15T08:00:00.000000Z, size 1',
      });
    const late = said(made, 14 * 60);
    assert.equal(late.verdict, 'unknown');
    assert.match(
      late.detail,
      /^w\.example\/1 last spoke at 2027-01-15T08:00:00\.000000Z for size 1: more than 5 minutes ago/,
    );
    assert.equal(said(made, 301).verdict, 'unknown');
    assert.match(said(made, -61).detail, /ahead of this clock/);

    const fast = newWitness('w.example/fast-clock');
    const lines = [fast.line(made.newest(), time + 9999), witness.line(made.newest(), time)];
    publishWitnessed(made, made.newest(), ...lines);
    assert.match(said(made, 30, [fast.text, witness.text]).detail, /^as new as what w\.example\/1 /);

    await made.grow([{ raw: 'two' }], [{ raw: 'three' }]);
    assert.match(said(made).detail, /, size 1; 2 entries have come since$/);
  });

  it('is unknown once the keeper has begun unwitnessed, until a witness has cosigned that', async (t) => {
    const made = await grown(t);
    publishWitnessed(made, made.newest(), witness.line(made.newest(), time));
    await made.appender.commit([{ kind: 'restart', reason: 'start' }], '');
    assert.equal(said(made).verdict, 'current');
    await made.appender.commit([{ kind: 'restart', reason: 'unwitnessed' }, { kind: 'heartbeat' }], '');
    const alone = said(made);
    assert.equal(alone.verdict, 'unknown');
    assert.match(
      alone.detail,
      /for size 1: the keeper has started since without an answer from any witness$/,
    );
    publishWitnessed(made, made.newest(), witness.line(made.newest(), time));
    assert.equal(said(made).verdict, 'current');
  });

  it('is contradicted where a witness remembers more, or the keeper was convicted', async (t) => {
    const made = await grown(t);
    const old = join(made.root, 'old');
    cpSync(made.vault, old, { recursive: true });
    await made.grow([{ raw: 'two' }]);
    const lost = made.newest();
    const putBack = { ...made, vault: old };
    publishWitnessed(putBack, lost, witness.line(lost, time));
    assert.deepEqual(said(putBack), {
      verdict: 'contradicted',
      detail:
        'w.example/1 remembers size 2, and the vault ends at 1: it was put back. Restore the newer state',
    });

    // Its own old file says that all is well, and the keeper has stopped.
    const stays = readFileSync(join(old, 'checkpoint'));
    publishWitnessed(putBack, stays, witness.line(stays, time));
    assert.equal(said(putBack).verdict, 'current');
    const evidence = join(made.keys, 'contradiction');
    writeFileSync(evidence, lost);
    for (const witnesses of [[], [witness.text]]) {
      const convicted = said(putBack, 30, witnesses);
      assert.equal(convicted.verdict, 'contradicted');
      assert.match(
        convicted.detail,
        /^a witness remembers size 2, and the vault ends at 1: it was put back\. Nothing more is signed: restore the newer state/,
      );
    }
    for (const noise of ['noise', 'x'.repeat(9999)]) {
      writeFileSync(evidence, noise);
      assert.match(said(putBack).detail, /^keys\/contradiction is there, and cannot be held against the log/);
      assert.equal(said(putBack).verdict, 'contradicted');
    }
    // The newer state is back.
    writeFileSync(evidence, lost);
    publishWitnessed(made, lost, witness.line(lost, time));
    assert.equal(said(made).verdict, 'current');
    rmSync(evidence);
  });

  it('counts what was signed with a key that has been replaced since', async (t) => {
    const made = await grown(t);
    publishWitnessed(made, made.newest(), witness.line(made.newest(), time));
    const { vkey } = made.readKey();
    await made.appender.commit([{ kind: 'key', reason: 'yearly' }], '');
    await made.grow([{ raw: 'two' }]);
    assert.notEqual(made.readKey().vkey, vkey);
    assert.match(said(made).detail, /^as new as .*, size 1; 2 entries have come since$/);
    assert.equal(said(made).verdict, 'current');
  });
});
