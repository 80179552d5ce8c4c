import { micros } from '#base/clock';
import { parseQuery } from '#search/query';
import type { Engine, Parameters } from '../../src/index/engine/engine.ts';
import { compileQuery } from '../../src/search/query/compile.ts';
import type { Needle, Question } from '../search/questions.ts';
import type { Alternative } from './alternatives.ts';

/** Milliseconds that each question took, the engine alone. */
export type Times = Record<string, number[]>;

/** What the engine remembers of an answer would answer the next of the same. */
const fresh = 'use_query_condition_cache = 0';

/** Without an index each takes seconds. */
const needles = 4;

/** Asks every table every question before the next one, so that all see the same machine. @throws IndexError */
export const askAll = async (
  engine: Engine,
  asked: readonly Alternative[],
  questions: readonly Question[],
  runs: number,
): Promise<Map<string, Times>> => {
  const times = new Map<string, Times>(asked.map(({ name }) => [name, {}]));
  for (let run = -1; run < runs; run += 1)
    for (const question of questions)
      for (const needle of question.needles.slice(0, run < 0 ? 1 : needles))
        for (const alternative of asked) {
          const { sql, parameters } = statement(alternative, question, needle);
          const started = performance.now();
          await engine.binary('interactive', sql, parameters);
          // The first run brings files into memory.
          if (run >= 0)
            ((times.get(alternative.name) ?? {})[question.name] ??= []).push(performance.now() - started);
        }
  return times;
};

const statement = (
  { definition, indexed }: Alternative,
  { name: question, route }: Question,
  { query, grep }: Needle,
): { sql: string; parameters: Parameters } => {
  const table = definition.name;
  if (route === 'sql')
    return { sql: `${query.replace('FROM lines', `FROM ${table}`)} SETTINGS ${fresh}`, parameters: {} };
  const { where, parameters } = compileQuery(parseQuery(query, micros(0)), (asked) =>
    asked.ask === 'whole' ? [asked.value.text] : [],
  );
  const also = grep.kind === 'text' ? indexed(question, grep.pattern) : '';
  return {
    sql: `SELECT time, entry, line, part, app, message FROM ${table} WHERE ${also === '' ? where : `${also} AND ${where}`}
    ORDER BY time DESC, entry DESC, line DESC, part DESC LIMIT 101 SETTINGS ${fresh}`,
    parameters,
  };
};
