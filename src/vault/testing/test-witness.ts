import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { systemClock } from '#base/clock';
import { cosign, formatWitnessVkey, parseWitnessVkey, type WitnessSigner } from '#vault/checkpoint';
import { openVault } from '#vault/read';
import { Framing } from '#vault/record';
import { startSequencer, type Sequencer } from '../append/sequencer.ts';
import type { WitnessPolicy } from '../append/witnessing.ts';
import { delivery, openTest, type TestVault } from './test-vault.ts';

export const newWitness = (name: string): WitnessSigner => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { vkey: parseWitnessVkey(formatWitnessVkey(name, publicKey)), privateKey };
};

export const seconds = (): number => Math.floor(systemClock().now() / 1_000_000);

export const cosigned = (note: Buffer, witness: WitnessSigner, time = seconds()): Buffer => {
  const text = note.toString().slice(0, note.toString().indexOf('\n\n') + 1);
  return Buffer.concat([note, Buffer.from(cosign({ text, witness, time }))]);
};

/** One line as the publisher sends it through `run/own.sock`. */
export const said = (kind: 'cosignature' | 'contradiction', note: Buffer, peer = 'publisher'): Buffer => {
  const raw = Buffer.from(JSON.stringify({ kind, note: note.toString() }));
  const frame = Buffer.alloc(14);
  frame.writeBigUInt64BE(1n);
  frame.writeUInt32BE(raw.length, 10);
  return delivery(Buffer.concat([frame, raw]), {
    framing: Framing.own,
    listener: 'own',
    peer,
    stream: 'publisher-1',
  });
};

export const policyOf = (
  quorum: number,
  witnesses: readonly WitnessSigner[],
  patienceMs: number,
): WitnessPolicy => ({
  quorum,
  witnesses: witnesses.map(({ vkey }) => vkey),
  patienceMs,
});

/** A keeper's life with a policy; `during` runs while it works. */
export const keepWith = async (
  made: TestVault,
  policy: WitnessPolicy,
  during: (sequencer: Sequencer) => Promise<void>,
): Promise<void> => {
  const appender = await openTest(made);
  const sequencer = startSequencer({
    appender,
    intake: made.intake,
    clock: made.clock,
    host: 'test',
    log: () => undefined,
    witnesses: policy,
  });
  try {
    await Promise.race([during(sequencer), sequencer.ended]);
    await sequencer.stop();
  } finally {
    await sequencer.ended.catch(() => undefined);
    appender.close();
  }
};

export const until = async (is: () => boolean): Promise<void> => {
  for (let waited = 0; !is(); waited += 20) {
    assert.ok(waited < 60_000, 'it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

export const sizeOf = ({ vault, vkey }: TestVault): number =>
  openVault(vault, { vkey }).checkpoint()?.size ?? 0;
