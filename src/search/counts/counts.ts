import { micros, type Clock, type Micros } from '#base/clock';
import type { Index } from '#index';
import type { Counts } from '#wire/counts';
import type { Answer } from '#wire/search';
import { answerTo, beginCompleteness } from '../answer.ts';
import type { FreshnessReader } from '../freshness.ts';
import { withMatchingLines, type Rows } from '../matching-lines.ts';
import { judged } from '../other-vaults.ts';
import type { Query } from '../query/expression.ts';
import { readQuery } from '../query/read.ts';
import { asSearchError, compiledFor } from '../search.ts';
import { groupsOf } from './group.ts';
import { histogramOf } from './histogram.ts';
import { columns, rowsOfAll } from './rows.ts';

export type Counting = {
  query: string;
  by: readonly string[];
  top: number;
  bars: number;
  vaults?: 'own' | 'all';
};

/** How many lines match, in all, in groups and over time, and what can be said of that. @throws SearchError */
export const countLines = async (
  index: Index,
  asked: Counting,
  clock: Clock,
  freshness: FreshnessReader,
): Promise<{ counts: Counts; answer: Answer }> => {
  const started = clock.elapsed();
  const now = clock.now();
  const to = index.state().indexed;
  const searched = `entry < ${to}`;
  const compiled = await compiledFor(index, await readQuery(index, asked.query, clock), searched);
  const { query } = compiled;
  return asSearchError(index, compiled, async () => {
    const others = asked.vaults === 'all' ? await index.engine.otherVaults() : [];
    const completeness = beginCompleteness(index, query, clock);
    const { count, ...counted } =
      others.length === 0
        ? await withMatchingLines(index, compiled, to, (lines) =>
            countRows(index, lines.rows(columns), asked, query, now),
          )
        : await countRows(index, rowsOfAll(query, searched, others), asked, query, now);
    const answer = await answerTo(
      index,
      { query, completeness, shown: [], count, started },
      clock,
      freshness,
    );
    return {
      counts: { counts: { by: [...asked.by], ...counted } },
      answer: others.length === 0 ? answer : judged(answer, others, count),
    };
  });
};

type Counted = Omit<Counts['counts'], 'by'> & { count: number };

/** @throws SearchError, IndexError */
const countRows = async (
  index: Index,
  rows: Rows,
  { by, top, bars }: Counting,
  query: Query,
  now: Micros,
): Promise<Counted> => {
  const { from, parameters, settings } = rows;
  const ends =
    bars === 0
      ? ''
      : ', toUnixTimestamp64Micro(min(time)) AS first, toUnixTimestamp64Micro(max(time)) AS last';
  const [totals, grouped] = await Promise.all([
    // Without ends the groups tell it.
    by.length > 0 && bars === 0
      ? []
      : index.engine.rows('interactive', `SELECT count() AS n${ends} FROM ${from}${settings}`, parameters),
    by.length === 0 ? { groups: [], others: { groups: 0, count: 0 } } : groupsOf(index, rows, by, top),
  ]);
  const [total] = totals;
  const inGroups = grouped.groups.reduce((sum, { count }) => sum + count, grouped.others.count);
  const count = total === undefined ? inGroups : Number(total['n']);
  const found =
    count === 0 ? null : { first: micros(Number(total?.['first'])), last: micros(Number(total?.['last'])) };
  const range = bars === 0 ? null : rangeOf(query, found, now);
  const histogram = range === null ? null : await histogramOf(index, rows, range, bars);
  return { count, ...grouped, histogram };
};

/** What the bars stand for: the range that was asked for, so that empty ends show; where it is open, what was found. */
const rangeOf = (
  { since, until }: Query,
  found: { first: Micros; last: Micros } | null,
  now: Micros,
): { first: Micros; last: Micros } | null => {
  const first = since ?? found?.first ?? null;
  if (first === null) return null;
  const end = until === null ? null : micros(until - 1);
  const open = since === null ? (found?.last ?? first) : micros(Math.max(now, found?.last ?? now));
  return { first, last: micros(Math.max(first, end ?? open)) };
};
