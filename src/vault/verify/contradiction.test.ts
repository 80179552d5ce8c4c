import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
} from '#vault/checkpoint';
import { beats, openTest, summary, vaultFor, type TestVault } from '../testing/test-vault.ts';
import type { VerifyReport } from './report.ts';
import { verifyVault } from './verify.ts';

const time = 1_800_000_000;

/** A vault of size 3 that a witness has cosigned just now, and one with five entries more. */
const putBack = async (
  t: TestContext,
): Promise<{ old: TestVault; newer: TestVault; verify(made?: TestVault): Promise<VerifyReport> }> => {
  const newer = vaultFor(t);
  const appender = await openTest(newer);
  await appender.commit(beats(3), '');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = formatWitnessVkey('w.example/1', publicKey);
  const note = newer.read('checkpoint');
  const line = cosign({
    text: parseNote(note).text,
    witness: { vkey: parseWitnessVkey(text), privateKey },
    time,
  });
  newer.write('checkpoint.witnessed', Buffer.concat([note, Buffer.from(line)]));
  const old = newer.copy();
  t.after(() => old.remove());
  await appender.commit(beats(5), '');
  appender.close();
  return {
    old,
    newer,
    verify: ({ vault, keys, vkey } = old) =>
      verifyVault({
        vault,
        vkey,
        lock: join(keys, 'lock'),
        contradiction: join(keys, 'contradiction'),
        witnesses: [text],
        now: () => (time + 30) * 1_000_000,
      }),
  };
};

const convict = ({ keys }: TestVault, note: Uint8Array | string): void =>
  writeFileSync(join(keys, 'contradiction'), note);

describe('verify of a state by which the keeper was convicted', () => {
  it('is contradicted, though a witness had cosigned it lately', async (t) => {
    const { old, newer, verify } = await putBack(t);
    assert.equal((await verify()).freshness.verdict, 'current');
    convict(old, newer.read('checkpoint'));
    const report = await verify();
    assert.ok(!report.ok);
    assert.equal(report.freshness.verdict, 'contradicted');
    assert.equal(
      report.freshness.detail,
      'keys/contradiction remembers size 8; the vault ends at 3: it was put back. The keeper signs nothing more: restore the newer state (docs/formats/witness.md)',
    );
    assert.match(summary(report), /^checkpoint: rolled back: it ends at 3, keys\/contradiction remembers 8$/);
  });

  it('is not where the newer state is back', async (t) => {
    const { newer, verify } = await putBack(t);
    convict(newer, newer.read('checkpoint'));
    const report = await verify(newer);
    assert.equal(summary(report), '');
    assert.equal(report.freshness.verdict, 'current');
  });

  it('is, whatever the note looks like', async (t) => {
    const { old, verify } = await putBack(t);
    const { name, keyId } = parseVkey(old.vkey);
    const privateKey = createPrivateKey(readFileSync(join(old.keys, 'signer.key')));
    const other = generateKeyPairSync('ed25519').privateKey;
    const unknown = { name, keyId: Buffer.from('abcd'), privateKey: other };
    const signed = (size: number, origin = name): string => checkpointText(origin, size, Buffer.alloc(32, 7));
    for (const [note, said] of [
      [signNote(signed(2), { name, keyId, privateKey }), /^the log’s key has signed two histories/],
      [signNote(signed(9), unknown), /^keys\/contradiction remembers size 9, and the vault ends at 3: /],
      [signNote(signed(2), unknown), /^keys\/contradiction remembers another log of size 2/],
      [signNote(signed(2, 'other'), unknown), /^keys\/contradiction is no checkpoint of this log/],
      ['noise', /^keys\/contradiction is no checkpoint of this log/],
      ['x'.repeat(9999), /^keys\/contradiction cannot be read/],
    ] as const) {
      convict(old, note);
      const report = await verify();
      assert.ok(!report.ok);
      assert.equal(report.freshness.verdict, 'contradicted');
      assert.match(report.freshness.detail, said);
      assert.match(report.freshness.detail, /restore the newer state/);
    }
    rmSync(join(old.vault, 'checkpoint'));
    rmSync(join(old.vault, 'history'), { recursive: true });
    assert.equal((await verify()).freshness.verdict, 'contradicted');
    rmSync(join(old.keys, 'contradiction'));
    mkdirSync(join(old.keys, 'contradiction'));
    assert.equal((await verify()).freshness.verdict, 'contradicted');
  });
});
