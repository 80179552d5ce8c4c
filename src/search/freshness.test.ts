import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '#base/clock';
import { cosign, formatWitnessVkey, parseNote, parseWitnessVkey } from '#vault/checkpoint';
import { growVault, type GrownVault } from '../index/testing/grown-vault.ts';
import { openFreshness, type Freshness } from './freshness.ts';

describe('the verdict on freshness', () => {
  let grown: GrownVault;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const vkey = formatWitnessVkey('w.example/w', publicKey);

  before(async () => {
    grown = await growVault();
    await grown.grow([{ raw: 'one' }]);
  });
  after(() => grown.remove());

  const read = (witnesses: string[]): Freshness =>
    openFreshness({ vault: grown.vault, readKey: grown.readKey, witnesses, clock: systemClock() })();

  it('is unknown without a witness, and until one that is known has cosigned', () => {
    assert.match(read([]).detail, /^no witness is configured/);
    assert.deepEqual(read([vkey]), { verdict: 'unknown', detail: 'no witness has cosigned yet' });
  });

  it('is as new as what the witness remembered, and stale where it remembers more', async () => {
    const file = join(grown.vault, 'checkpoint');
    const note = readFileSync(file);
    const witness = { vkey: parseWitnessVkey(vkey), privateKey };
    const line = cosign({ text: parseNote(note).text, witness, time: 1_800_000_000 });
    writeFileSync(join(grown.vault, 'checkpoint.witnessed'), `${note.toString()}${line}`);
    const current = read([vkey]);
    assert.equal(current.verdict, 'current');
    assert.match(current.detail, /^as new as what w\.example\/w remembered at 2027-01-15T08:00:00/);
    const other = generateKeyPairSync('ed25519');
    assert.equal(read([formatWitnessVkey('w.example/w', other.publicKey)]).verdict, 'unknown');
    const history = readFileSync(join(grown.vault, 'history', '000'));
    const old = history.subarray(2, 2 + history.readUInt16BE(0));
    writeFileSync(file, old);
    assert.equal(read([vkey]).verdict, 'stale');
    writeFileSync(file, note);
  });
});
