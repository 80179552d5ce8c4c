import { verifyVault } from '#vault/verify';
import { join } from 'node:path';
import { describeMutation, mutate, type Mutation, type Subject } from './mutation.ts';

/** Longer than any look at a small vault may take, whatever was done to it. */
const slowMs = 2000;
/** Of this process, whatever a file claims to hold. */
const maxResident = 1536 * 1024 * 1024;

export type Judged = { failures: string[]; slowestMs: number };

/**
 * Does each mutation in turn, has the vault verified, and undoes it. A mutation is detected when the verifier does not
 * throw, does not call the vault whole, and names each file that was changed; of a whole vault that was put back it
 * must say that it was rolled back.
 * @returns those that were not detected, or not in good time, a line each
 */
export const judgeAll = async (
  subject: Subject,
  vkey: string,
  mutations: readonly Mutation[],
): Promise<Judged> => {
  const failures: string[] = [];
  let slowestMs = 0;
  for (const mutation of mutations) {
    const { changed, undo } = mutate(subject, mutation);
    const began = performance.now();
    const fault = await judge(subject, vkey, mutation, changed);
    const took = performance.now() - began;
    undo();
    slowestMs = Math.max(slowestMs, took);
    if (fault !== null) failures.push(`${describeMutation(mutation)}: ${fault}`);
    if (took > slowMs) failures.push(`${describeMutation(mutation)}: took ${Math.round(took)} ms`);
    const resident = process.memoryUsage.rss();
    if (resident > maxResident) failures.push(`${describeMutation(mutation)}: ${resident} bytes resident`);
    // What is wrong with one is wrong with many: enough to see.
    if (failures.length >= 50) break;
  }
  return { failures, slowestMs };
};

/** Missing files that follow one another are named by the first and the last of them. */
const isInGap = (file: string, { file: first, what }: { file: string; what: string }): boolean => {
  const last = /^missing and all up to (\S+): /.exec(what)?.[1];
  return last !== undefined && first <= file && file <= last;
};

const judge = async (
  { root }: Subject,
  vkey: string,
  mutation: Mutation,
  changed: readonly string[],
): Promise<string | null> => {
  try {
    const report = await verifyVault({ vault: join(root, 'vault'), vkey, lock: join(root, 'keys', 'lock') });
    if (report.ok) return 'not detected';
    const said = report.problems.map(({ file, what }) => `${file}: ${what}`);
    if (mutation.kind === 'roll back')
      return said.some((line) => line.startsWith('checkpoint: rolled back'))
        ? null
        : `said only ${said.join('; ')}`;
    const files = changed.map((path) => (path === 'keys/lock' ? 'lock' : path.replace(/^vault\//, '')));
    // Which entry had a segment stands in the bundles alone: without them nobody can miss it.
    const areEntriesGone = files.some((file) => file.startsWith('tile/entries/'));
    // Without the entry that replaced the key, no newer checkpoint can be believed, nor what it would call for.
    const isKeyLost = said.some((line) => line.startsWith('checkpoint: changed: signed by another key'));
    const unnamed = files.filter(
      (file) =>
        !(areEntriesGone && mutation.kind === 'drop' && (isKeyLost || file.startsWith('segment/'))) &&
        !report.problems.some((problem) => problem.file === file || isInGap(file, problem)),
    );
    return unnamed.length === 0 ? null : `${unnamed.join(', ')} not named in: ${said.join('; ')}`;
  } catch (error) {
    return `the verifier threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
};
