import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkpointText, openCosigned, signNote } from '#vault/checkpoint';
import { sha256 } from '#vault/tree';
import { assertIntact, beats, openTest, vaultFor, withCode, type TestVault } from '../testing/test-vault.ts';
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

describe('witnesses of a log whose key was replaced', () => {
  const [a, b, stranger] = [newWitness('a.example'), newWitness('b.example'), newWitness('c.example')];

  /** A state that was put back to before its key was replaced, and what was signed by the newer key. */
  const backBeforeRotation = async (made: TestVault): Promise<Buffer> => {
    await made.keep();
    const before = join(made.root, 'before');
    for (const part of ['vault', 'keys'])
      cpSync(join(made.root, part), join(before, part), { recursive: true });
    const appender = await openTest(made);
    await appender.commit([{ kind: 'key', reason: 'yearly' }], appender.intake());
    await appender.commit(beats(3), appender.intake());
    appender.close();
    const remembered = made.read('checkpoint');
    for (const part of ['vault', 'keys']) {
      renameSync(join(made.root, part), join(made.root, `newer-${part}`));
      renameSync(join(before, part), join(made.root, part));
    }
    assert.throws(() => openCosigned(remembered, loadSigner(made.keys).vkey), 'the key is not known here');
    return remembered;
  };

  for (const kind of ['cosignature', 'contradiction'] as const)
    it(`convict a state that was put back to before a rotation, by a ${kind}, although it does not know the newer key`, async (t) => {
      const made = vaultFor(t);
      const remembered = await backBeforeRotation(made);
      const old = made.read('checkpoint');
      made.receive(said(kind, cosigned(remembered, b, seconds() - 86_400), 'courier'));
      const policy = policyOf(2, [a, b], 60_000);
      const waiting = keepWith(made, policy, () => new Promise(() => undefined));
      await assert.rejects(waiting, withCode('contradicted'));
      assert.ok(made.read('checkpoint').equals(old), 'nothing was signed');
      await assert.rejects(openTest(made), (error: unknown) => {
        assert.ok(withCode('contradicted')(error) && error instanceof Error);
        return error.message.includes('b.example') && error.message.includes('size 5');
      });
      for (const part of ['vault', 'keys'])
        cpSync(join(made.root, `newer-${part}`), join(made.root, part), { recursive: true });
      assert.ok(existsSync(contradictionFile(made.keys)));
      await made.keep();
      assert.ok(!existsSync(contradictionFile(made.keys)));
    });

  it('that are not configured convict nobody under a key that is not known', async (t) => {
    const made = vaultFor(t);
    const remembered = await backBeforeRotation(made);
    const { vkey } = loadSigner(made.keys);
    const { privateKey } = generateKeyPairSync('ed25519');
    const forged = cosigned(remembered, { vkey: b.vkey, privateKey });
    const otherOrigin = signNote(checkpointText('other.example/0', 9, sha256(Buffer.from('tree'))), {
      name: vkey.name,
      keyId: vkey.keyId,
      privateKey,
    });
    made.receive(
      said('contradiction', remembered),
      said('contradiction', cosigned(remembered, stranger)),
      said('contradiction', forged),
      said('contradiction', cosigned(otherOrigin, b)),
    );
    await keepWith(made, policyOf(1, [a, b], 100), () => until(() => sizeOf(made) > 2));
    assert.ok(!existsSync(contradictionFile(made.keys)));
    await assertIntact(made);
  });

  it('convict by what an earlier key signed, and are heard with what of it the log contains', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const note = made.read('checkpoint');
    const first = loadSigner(made.keys);
    const appender = await openTest(made);
    await appender.commit([{ kind: 'key', reason: 'yearly' }], appender.intake());
    appender.close();
    const after = { ...made, vkey: readFileSync(join(made.keys, 'vault.vkey'), 'utf8').trim() };
    await keepWith(after, policyOf(1, [a], 60_000), async () => {
      made.receive(said('cosignature', cosigned(note, a)));
      await until(() => sizeOf(after) > 2);
    });
    assert.ok(!existsSync(join(made.vault, 'checkpoint.witnessed')), 'only under the key in force');
    const fork = signNote(checkpointText(first.vkey.name, 1, sha256(Buffer.from('another tree'))), {
      name: first.vkey.name,
      keyId: first.vkey.keyId,
      privateKey: first.privateKey,
    });
    made.receive(said('contradiction', cosigned(fork, a)));
    await assert.rejects(
      keepWith(after, policyOf(1, [a], 100), () => new Promise(() => undefined)),
      withCode('contradicted'),
    );
  });
});
