import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { StateDirectory } from '#base/state';
import { callSearch } from '#cli/search-socket';
import { field } from '#wire/fields';
import { answer, health } from '#wire/search';
import { run, until } from '../harness/up.ts';

/** By what was asked: the lines of the answer, as JSON. */
type Answers = ReadonlyMap<string, readonly string[]>;

/** Each line, group, pattern and field, as far as the bounds of the routes go. */
const reads = {
  '/search': { limit: 100_000 },
  '/counts': { by: ['host', 'app'], top: 10_000, bars: 100 },
  '/patterns': { limit: 10_000 },
  '/fields': { limit: 5000, values: 50 },
};

/**
 * Asks once all that came before now is at rest, has the index made anew, and asks the same again. Each read is recorded
 * in the log, so the queries end in time before the first.
 * @param queries without `until:`
 * @returns lines that were compared
 */
export const assertSameWhenMadeAnew = async (
  state: StateDirectory,
  queries: readonly string[],
): Promise<number> => {
  const end = new Date().toISOString();
  const ended = queries.map((query) => `${query} until:${end}`);
  const before = await answersAtRest(state, ended);
  await makeAnew(state);
  const after = await answersTo(state, ended);
  for (const [asked, lines] of before) assertSameLines(asked, after.get(asked) ?? [], lines);
  return [...before.values()].reduce((sum, { length }) => sum + length, 0);
};

/** At rest is what is answered twice alike. */
const answersAtRest = async (state: StateDirectory, queries: readonly string[]): Promise<Answers> => {
  let answers = await answersTo(state, queries);
  await until('the same is answered twice', async () => {
    await sleep(500);
    const last = answers;
    answers = await answersTo(state, queries);
    return isDeepStrictEqual(answers, last);
  });
  return answers;
};

const answersTo = async (state: StateDirectory, queries: readonly string[]): Promise<Answers> => {
  const answers = new Map<string, string[]>();
  for (const query of queries) {
    // Together, as an answer waits until its record is on disk.
    const asked = Object.entries(reads).map(async ([path, bounds]) => {
      const lines: string[] = [];
      for await (const line of callSearch(state, 'POST', path, { query, ...bounds }))
        lines.push(JSON.stringify(comparable(line)));
      return [`${path} ${query}`, lines] as const;
    });
    for (const [key, lines] of await Promise.all(asked)) answers.set(key, lines);
  }
  return answers;
};

/** Without what depends on the moment at which it was asked, and without estimates. */
const comparable = (line: unknown): unknown => {
  const remark = answer.safeParse(line);
  if (remark.success) {
    // Entries are counted with those of the reads, and looked at again as far as there is time.
    const { integrity, completeness, elapsedMs: _, ...rest } = remark.data.answer;
    return {
      ...rest,
      integrity: integrity.verdict,
      completeness: {
        ...completeness,
        detail: completeness.detail.split('; ').filter(isLasting),
        notes: completeness.notes?.filter(isLasting),
      },
    };
  }
  const known = field.safeParse(line);
  return known.success && known.data.values.some(({ atLeast }) => atLeast)
    ? { ...known.data, values: 'estimated' }
    : line;
};

/** The record of a read is on its way into the index when the next one is answered. */
const isLasting = (said: string): boolean => !said.endsWith(' not indexed yet');

const makeAnew = async (state: StateDirectory): Promise<void> => {
  const table = join(state.index, 'engine', 'data', 'default', 'lines');
  const old = realpathSync(table);
  const { status, stdout, stderr } = run('index', 'rebuild', '--state', state.root);
  assert.equal(status, 0, stdout + stderr);
  await until('the index has taken in everything again', async () => {
    for await (const line of callSearch(state, 'GET', '/health')) {
      const { indexed, committed, trouble } = health.parse(line);
      if (trouble !== null || indexed < committed) return false;
    }
    return true;
  });
  assert.notEqual(realpathSync(table), old, 'the table is another one');
};

/** Shows the first lines that differ: all of them nobody could read. */
const assertSameLines = (asked: string, found: readonly string[], wanted: readonly string[]): void => {
  const from = wanted.findIndex((line, at) => line !== found[at]);
  if (from >= 0) assert.deepEqual(found.slice(from, from + 3), wanted.slice(from, from + 3), asked);
  assert.equal(found.length, wanted.length, asked);
};
