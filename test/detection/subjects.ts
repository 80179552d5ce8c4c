import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  beats,
  delivery,
  inMemory,
  newTestVault,
  openTest,
  type TestVault,
} from '../../src/vault/testing/test-vault.ts';
import { askedScenario } from '../../src/vault/testing/scenarios.ts';
import type { Subject } from './mutation.ts';

/** A vault that was kept for a while, with its state after each commit. */
export type Kept = Subject & { made: TestVault; remove(): void };

const keepStates = (made: TestVault): { states: string[]; snap(): void; remove(): void } => {
  const directory = mkdtempSync(join(inMemory(), 'holdfast-states-'));
  const states: string[] = [];
  return {
    states,
    snap() {
      const state = join(directory, String(states.length));
      for (const part of ['vault', 'keys'] as const)
        cpSync(made[part], join(state, part), { recursive: true });
      states.push(state);
    },
    remove() {
      rmSync(directory, { recursive: true, force: true });
      made.remove();
    },
  };
};

/** A few KB: entries of several kinds, some lines, a checkpoint after each. */
export const smallVault = async (): Promise<Kept> => {
  const made = newTestVault(inMemory());
  const { states, snap, remove } = keepStates(made);
  snap();
  made.receive(delivery('one\ntwo\n'), delivery('three\n', { peer: 'other', stream: 's', sequence: 3 }));
  await made.keep();
  snap();
  const appender = await openTest(made);
  await appender.commit(beats(1), appender.intake());
  appender.close();
  snap();
  made.receive(delivery('four\n'));
  await made.keep();
  snap();
  return { root: made.root, states, made, remove };
};

/** With a hold, its release, a redaction, an expiry and a replaced key; known by its first key. */
export const amendedVault = async (): Promise<Kept> => {
  const made = await askedScenario.begin();
  const { states, snap, remove } = keepStates(made);
  snap();
  for (const step of askedScenario.steps) {
    await step(made);
    snap();
  }
  return { root: made.root, states, made, remove };
};

/** More than 256 entries: full tiles and bundles, a second level, many checkpoints. */
export const largeVault = async (): Promise<Kept> => {
  const made = newTestVault(inMemory());
  const { states, snap, remove } = keepStates(made);
  const beat = async (...counts: number[]): Promise<void> => {
    const appender = await openTest(made);
    for (const count of counts) await appender.commit(beats(count), appender.intake());
    appender.close();
  };
  await beat(100, 1, 1);
  snap();
  for (let i = 0; i < 4; i++) {
    made.receive(delivery(`line ${i}\nand again ${i}\n`));
    await made.keep();
    await beat(33, 1);
  }
  snap();
  await beat(256, 7, 1);
  made.receive(delivery('late\n'));
  await made.keep();
  snap();
  return { root: made.root, states, made, remove };
};
