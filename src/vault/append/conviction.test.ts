import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkpointText,
  cosign,
  formatWitnessVkey,
  parseWitnessVkey,
  signNote,
  type WitnessSigner,
} from '#vault/checkpoint';
import { Framing } from '#vault/record';
import { sha256 } from '#vault/tree';
import { assertIntact, delivery, vaultFor, withCode, type TestVault } from '../testing/test-vault.ts';
import { openAppender } from './appender.ts';
import { contradictionFile } from './contradiction.ts';
import { loadSigner } from './keys.ts';
import { startSequencer, type Sequencer } from './sequencer.ts';
import type { WitnessPolicy } from './witnessing.ts';

const newWitness = (): WitnessSigner => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { vkey: parseWitnessVkey(formatWitnessVkey('w.example', publicKey)), privateKey };
};

const said = (kind: 'cosignature' | 'contradiction', note: Buffer): Buffer => {
  const raw = Buffer.from(JSON.stringify({ kind, note: note.toString() }));
  const frame = Buffer.alloc(14);
  frame.writeBigUInt64BE(1n);
  frame.writeUInt32BE(raw.length, 10);
  const head = { framing: Framing.own, listener: 'own', peer: 'courier', stream: 'courier-1' };
  return delivery(Buffer.concat([frame, raw]), head);
};

/** Every fsync of a file handle takes so much longer, so that what races shows. */
const slowFsync = async (t: TestContext, milliseconds: number): Promise<void> => {
  const handle = await open('/dev/null');
  const prototype: { sync(): Promise<void> } = Object.getPrototypeOf(handle);
  await handle.close();
  const real = prototype.sync;
  prototype.sync = async function slow(): Promise<void> {
    await sleep(milliseconds);
    return real.call(this);
  };
  t.after(() => {
    prototype.sync = real;
  });
};

const start = async (
  made: TestVault,
  step: (what: string) => void,
  witnesses?: WitnessPolicy,
): Promise<{ sequencer: Sequencer; close(): void }> => {
  const appender = await openAppender({ ...made, patienceMs: 0, step });
  const sequencer = startSequencer({
    appender,
    intake: made.intake,
    clock: made.clock,
    host: 'test',
    log: () => undefined,
    ...(witnesses ? { witnesses } : {}),
  });
  return { sequencer, close: () => appender.close() };
};

const ending = async (sequencer: Sequencer, withinMs = 60_000): Promise<unknown> =>
  Promise.race([
    sequencer.ended.catch((error: unknown) => error),
    sleep(withinMs, 'goes on', { ref: false }),
  ]);

describe('conviction', () => {
  it('does not come of a cosignature that is faster than the commit which published its checkpoint', async (t) => {
    const made = vaultFor(t);
    await slowFsync(t, 8);
    const witness = newWitness();
    let given = 0;
    const { sequencer, close } = await start(made, (what) => {
      if (!what.startsWith('after rename') || !what.endsWith('vault/checkpoint')) return;
      const note = made.read('checkpoint');
      const text = note.toString().slice(0, note.toString().indexOf('\n\n') + 1);
      const time = Math.floor(made.clock.now() / 1_000_000);
      given += 1;
      if (given < 6)
        made.receive(
          said('cosignature', Buffer.concat([note, Buffer.from(cosign({ text, witness, time }))])),
        );
    });
    const isEnough = (): boolean => given >= 6;
    for (const end = performance.now() + 60_000; !isEnough();) {
      assert.equal(await ending(sequencer, 100), 'goes on');
      assert.ok(performance.now() < end, `${given} commits`);
    }
    await sequencer.stop();
    close();
    assert.ok(!existsSync(contradictionFile(made.keys)));
    await assertIntact(made);
  });

  it('keeps a commit that is under way from signing', async (t) => {
    const made = vaultFor(t);
    await slowFsync(t, 20);
    const { privateKey, vkey } = loadSigner(made.keys);
    const text = checkpointText(vkey.name, 1, sha256(Buffer.from('another tree')));
    const forged = signNote(text, { name: vkey.name, keyId: vkey.keyId, privateKey });
    const order: string[] = [];
    let links = 0;
    const { sequencer, close } = await start(made, (what) => {
      const renamed = /^after rename .*\/(lock|contradiction)$/.exec(what);
      if (renamed !== null) order.push(renamed[1] ?? '');
      // The second commit is under way; of the first one, which is over by then, comes what the second takes.
      if (what.startsWith('after link') && (links += 1) === 2) made.receive(said('contradiction', forged));
      if (renamed?.[1] === 'lock' && links === 1) made.receive(delivery('two\n'));
    });
    made.receive(delivery('one\n'));
    assert.ok(withCode('contradicted')(await ending(sequencer)));
    await sleep(600);
    close();
    assert.equal(order.at(-1), 'contradiction', order.join());
  });

  it('comes before anything is signed, however much lies in intake before what the witness said', async (t) => {
    const made = vaultFor(t);
    await made.keep();
    const before = join(made.root, 'before');
    for (const part of ['vault', 'keys'])
      cpSync(join(made.root, part), join(before, part), { recursive: true });
    made.receive(delivery('one\n'));
    await made.keep();
    const remembered = made.read('checkpoint');
    for (const part of ['vault', 'keys']) {
      rmSync(join(made.root, part), { recursive: true });
      renameSync(join(before, part), join(made.root, part));
    }
    // More than a keeper holds before it commits: nothing of it can be compressed.
    for (let file = 0; file < 3; file++)
      made.receive(
        ...Array.from({ length: 25 }, () =>
          delivery(randomBytes(1024 * 1024), { framing: Framing.datagram }),
        ),
      );
    made.receive(said('contradiction', remembered));
    const old = readFileSync(join(made.keys, 'lock'));
    const { sequencer, close } = await start(made, () => undefined, {
      quorum: 1,
      witnesses: [newWitness().vkey],
      patienceMs: 300,
    });
    assert.ok(withCode('contradicted')(await ending(sequencer)));
    close();
    assert.ok(readFileSync(join(made.keys, 'lock')).equals(old));
  });
});
