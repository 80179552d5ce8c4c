import type { StateDirectory } from '#base/state';
import { answer } from '#wire/search';
import { call } from '../holdfast/search-count.ts';
import type { Needle, Question } from './questions.ts';

/** What was asked for, and how long it took from the request's first byte to the answer's last. */
export type Asked = { ms: number; count: number };

/** Asks over `run/search.sock`, as every reader does, verdicts and the newest 100 lines included. */
export const ask = async (state: StateDirectory, question: Question, needle: Needle): Promise<Asked> => {
  const { route, total } = question;
  const started = performance.now();
  const said = await askFor(state, question, needle.query);
  const ms = performance.now() - started;
  const rows = said.trimEnd().split('\n');
  const count =
    route === 'sql'
      ? // The last line is what can be said of the answer.
        rows.slice(0, -1).reduce((sum, row) => sum + countOf(row), 0)
      : total === 'skip'
        ? await countOfAll(state, needle)
        : countIn(rows);
  return { ms, count };
};

/** @returns the answer */
export const askFor = (state: StateDirectory, { route, total }: Question, query: string): Promise<string> => {
  const bodies = {
    sql: { sql: query },
    counts: { query, by: ['host', 'app'] },
    search: { query, limit: 100, ...(total === undefined ? {} : { total }) },
  };
  return call(state, 'POST', `/${route}`, JSON.stringify(bodies[route]));
};

const countIn = (rows: readonly string[]): number => answer.parse(JSON.parse(rows.at(-1) ?? '')).answer.count;

const countOfAll = async (state: StateDirectory, { query }: Needle): Promise<number> => {
  const said = await call(state, 'POST', '/search', JSON.stringify({ query, limit: 0 }));
  return countIn(said.trimEnd().split('\n'));
};

const countOf = (row: string): number => {
  const { n } = JSON.parse(row) as { n: string | number };
  return Number(n);
};
