import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { inMemory } from '../../src/vault/testing/test-vault.ts';
import type { Judged } from './judge.ts';
import type { Mutation, Subject } from './mutation.ts';

/** Judges on all cores, each with a copy of its own. */
export const judgeOnAll = async (
  subject: Subject,
  vkey: string,
  mutations: readonly Mutation[],
): Promise<Judged> => {
  const threads = Math.min(availableParallelism(), Math.max(1, mutations.length));
  const results = await Promise.all(
    Array.from({ length: threads }, (_, i) =>
      judgeInThread(
        subject,
        vkey,
        mutations.filter((_mutation, k) => k % threads === i),
      ),
    ),
  );
  return {
    failures: results.flatMap(({ failures }) => failures),
    slowestMs: Math.max(...results.map(({ slowestMs }) => slowestMs)),
  };
};

const judgeInThread = async (
  { root, states }: Subject,
  vkey: string,
  mutations: readonly Mutation[],
): Promise<Judged> => {
  const copy = mkdtempSync(join(inMemory(), 'holdfast-detection-'));
  try {
    mkdirSync(join(copy, 'keys'));
    cpSync(join(root, 'vault'), join(copy, 'vault'), { recursive: true });
    cpSync(join(root, 'keys', 'lock'), join(copy, 'keys', 'lock'));
    const worker = new Worker(new URL('judge-worker.ts', import.meta.url), {
      workerData: { subject: { root: copy, states }, vkey, mutations },
    });
    return await new Promise<Judged>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};
