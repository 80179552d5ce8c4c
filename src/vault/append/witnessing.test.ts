import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { micros, systemClock } from '#base/clock';
import {
  checkpointText,
  openCheckpoint,
  openCosignature,
  openCosigned,
  parseVkey,
  signNote,
} from '#vault/checkpoint';
import { openVault } from '#vault/read';
import { sha256 } from '#vault/tree';
import {
  assertIntact,
  delivery,
  linesOf,
  openTest,
  vaultFor,
  withCode,
  type TestVault,
} from '../testing/test-vault.ts';
import {
  cosigned,
  keepWith,
  newWitness,
  policyOf,
  said,
  seconds,
  sizeOf,
  until,
} from '../testing/test-witness.ts';
import { contradictionFile } from './contradiction.ts';
import { loadSigner } from './keys.ts';

const reasons = ({ vault, vkey }: TestVault): string[] => {
  const reader = openVault(vault, { vkey });
  return reader
    .entries(0, reader.checkpoint()?.size ?? 0)
    .flatMap(({ entry }) => (entry.kind === 'restart' ? [entry.reason] : []));
};

const witnessedFile = ({ vault }: TestVault): string => join(vault, 'checkpoint.witnessed');

describe('witnesses', () => {
  const [a, b, stranger] = [newWitness('a.example'), newWitness('b.example'), newWitness('c.example')];

  it('make a checkpoint witnessed when enough of them have cosigned it', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const note = made.read('checkpoint');
    await keepWith(made, policyOf(2, [a, b], 200), async () => {
      made.receive(said('cosignature', cosigned(note, a)), said('cosignature', cosigned(note, stranger)));
      await until(() => sizeOf(made) > 2);
      assert.ok(!existsSync(witnessedFile(made)));
      made.receive(said('cosignature', cosigned(note, b)));
      await until(() => existsSync(witnessedFile(made)));
    });
    const published = readFileSync(witnessedFile(made));
    assert.equal(openCosigned(published, parseVkey(made.vkey)).size, 1);
    for (const witness of [a, b]) assert.ok(openCosignature(published, witness.vkey) > 1_700_000_000);
    assert.ok(!published.includes('c.example'));
    await assertIntact(made);
  });

  it('are counted once each, by valid cosignatures of this log alone, and nothing goes backwards', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    await made.keep();
    const note = made.read('checkpoint');
    const first = readFileSync(join(made.vault, 'history', '000')).subarray(2);
    const forged = Buffer.from(
      cosigned(note, b)
        .toString()
        .replace(/b\.example ..../u, 'b.example AAAA'),
    );
    const { vkey } = loadSigner(made.keys);
    const otherLog = signNote(checkpointText('other.example/0', 2, sha256(Buffer.from('its tree'))), {
      name: 'other.example/0',
      keyId: vkey.keyId,
      privateKey: loadSigner(made.keys).privateKey,
    });
    await keepWith(made, policyOf(2, [a, b], 100), async () => {
      made.receive(
        said('cosignature', cosigned(note, a)),
        said('cosignature', cosigned(note, a)),
        said('cosignature', forged),
        said('cosignature', cosigned(otherLog, b)),
        said('cosignature', cosigned(note, b), 'agent'),
        said('cosignature', Buffer.from('garbage')),
        said('cosignature', first),
      );
      await until(() => sizeOf(made) > 3);
    });
    assert.ok(!existsSync(witnessedFile(made)));
  });

  it('are waited for at the start, and nothing is signed meanwhile', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const note = made.read('checkpoint');
    await keepWith(made, policyOf(1, [a], 60_000), async () => {
      made.receive(delivery('one\n'));
      made.receive(said('cosignature', cosigned(note, a, seconds() - 3600)));
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.ok(made.read('checkpoint').equals(note), 'an answer of an hour ago is none');
      made.receive(said('cosignature', cosigned(note, a)));
      await until(() => sizeOf(made) > 1);
    });
    assert.deepEqual(reasons(made), ['created', 'start']);
    await assertIntact(made);
  });

  it('that do not answer are said to be missing, and signing goes on', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    await keepWith(made, policyOf(1, [a], 300), () => until(() => sizeOf(made) > 1));
    assert.deepEqual(reasons(made), ['created', 'unwitnessed']);
  });

  it('that never answer leave the lines of a keeper that ends meanwhile in intake', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const note = made.read('checkpoint');
    made.receive(delivery('one\n'));
    await keepWith(made, policyOf(1, [a], 60_000), () => Promise.resolve());
    assert.ok(made.read('checkpoint').equals(note));
    await made.keep();
    await assertIntact(made);
    assert.equal(reasons(made).length, 2);
  });

  it('remember what a whole state that was put back has lost: nothing is signed, until the newer one is restored', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const before = join(made.root, 'before');
    for (const part of ['vault', 'keys'])
      cpSync(join(made.root, part), join(before, part), { recursive: true });
    made.receive(delivery('one\n'));
    await made.keep();
    const remembered = made.read('checkpoint');
    for (const part of ['vault', 'keys']) {
      renameSync(join(made.root, part), join(made.root, `newer-${part}`));
      renameSync(join(before, part), join(made.root, part));
    }
    const old = made.read('checkpoint');
    made.receive(said('contradiction', remembered));
    await assert.rejects(
      keepWith(made, policyOf(1, [a], 60_000), () => new Promise(() => undefined)),
      withCode('contradicted'),
    );
    assert.ok(made.read('checkpoint').equals(old));
    assert.ok(openCheckpoint(readFileSync(contradictionFile(made.keys)), parseVkey(made.vkey)).size > 1);
    await assert.rejects(openTest(made), withCode('contradicted'));
    const kept = readFileSync(contradictionFile(made.keys));
    for (const part of ['vault', 'keys']) {
      rmSync(join(made.root, part), { recursive: true });
      renameSync(join(made.root, `newer-${part}`), join(made.root, part));
    }
    assert.ok(kept.equals(remembered));
    await made.keep();
    await assertIntact(made);
  });

  it('convict a second history also late, and even where nobody is configured; a stranger’s note convicts nobody', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const { privateKey, vkey } = loadSigner(made.keys);
    const text = checkpointText(vkey.name, 1, sha256(Buffer.from('another tree')));
    const signer = { name: vkey.name, keyId: vkey.keyId, privateKey };
    const { privateKey: other } = generateKeyPairSync('ed25519');
    made.receive(said('contradiction', signNote(text, { ...signer, privateKey: other })));
    await made.keep();
    const size = sizeOf(made);
    made.receive(said('cosignature', cosigned(signNote(text, signer), a), 'courier'));
    await assert.rejects(made.keep(), withCode('contradicted'));
    assert.equal(sizeOf(made), size);
    await assert.rejects(made.keep(), withCode('contradicted'));
  });

  it('that do not make checkpoints witnessed raise an alarm that names who is silent, once, and its end', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const real = systemClock();
    let ahead = 0;
    const clock = { now: () => micros(real.now()), elapsed: () => real.elapsed() + ahead };
    const lines = (kind: string): Record<string, unknown>[] =>
      linesOf(made)
        .filter((line) => line.startsWith('{'))
        .map((line): Record<string, unknown> => JSON.parse(line))
        .filter((line) => line['kind'] === kind);
    await keepWith({ ...made, clock }, policyOf(2, [a, b], 100), async () => {
      await until(() => sizeOf(made) > 1);
      const heardAt = seconds() + 5;
      ahead = 6 * 60_000;
      made.receive(said('cosignature', cosigned(made.read('checkpoint'), a, heardAt)));
      await until(() => sizeOf(made) > 2);
      // One that cosigns all the time does not hide that nothing becomes witnessed.
      ahead = 11 * 60_000;
      await until(() => lines('witness-lag').length > 0);
      const [{ witnessed, minutes, silent } = {}] = lines('witness-lag');
      assert.deepEqual([witnessed, minutes], [0, 11]);
      assert.deepEqual(
        (silent as { witness: string; since: string }[]).map(({ witness }) => witness),
        ['b.example'],
      );
      assert.match(JSON.stringify(silent), /"since":"20\d\d-/);
      const note = made.read('checkpoint');
      made.receive(
        said('cosignature', cosigned(note, a, heardAt + 1)),
        said('cosignature', cosigned(note, b)),
      );
      await until(() => lines('witness-lag-over').length > 0);
    });
    const [over] = lines('witness-lag-over');
    assert.deepEqual([over?.['back'], over?.['silent']], [['b.example'], []]);
    assert.equal(lines('witness-lag').length, 1);
  });
});
