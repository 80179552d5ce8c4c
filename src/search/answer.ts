import { micros, type Clock, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { Answer } from '#wire/search';
import { completenessOf, type Completeness } from './completeness.ts';
import type { FreshnessReader } from './freshness.ts';
import { hintsOf } from './hints.ts';
import { integrityOf } from './integrity.ts';
import type { Query } from './query/expression.ts';

/** What was asked and found, as far as it bears on what the answer is worth. */
export type Answered = {
  query: Query;
  /** Where it was begun beside the search. */
  completeness?: Promise<Completeness>;
  /** Lines that are shown: their stored bytes are looked at again. */
  shown: readonly { address: string }[];
  count: number;
  /** Where they were not counted to the end. */
  countIs?: 'at least';
  /** The clock's `elapsed()` when it was asked. */
  started: number;
};

/** The engine looks for gaps while others look for lines, or at the vault. A failure is told to whoever awaits it. */
export const beginCompleteness = (index: Index, query: Query, clock: Clock): Promise<Completeness> => {
  const begun = completenessOf(index, query, clock.now());
  begun.catch(() => undefined);
  return begun;
};

/** How far an answer can be trusted. @throws IndexError */
export const answerTo = async (
  index: Index,
  { query, completeness, shown, count, countIs, started }: Answered,
  clock: Clock,
  freshness: FreshnessReader,
): Promise<Answer> => {
  const hints = hintsOf(index, query.expression, count);
  const begun = completeness ?? beginCompleteness(index, query, clock);
  return {
    answer: {
      integrity: await integrityOf(index, shown, clock),
      completeness: await begun,
      freshness: freshness(),
      range: {
        since: query.since === null ? null : formatMicros(query.since),
        until: query.until === null ? null : formatMicros(query.until),
        covered: coveredOf(index, query, clock.now()),
      },
      count,
      ...(countIs === undefined ? {} : { countIs }),
      ...(hints.length === 0 ? {} : { hints }),
      elapsedMs: Math.round((clock.elapsed() - started) * 1000) / 1000,
    },
  };
};

/** The part of the asked range for which there is anything in the index. */
const coveredOf = (
  index: Index,
  { since, until }: Query,
  now: Micros,
): { from: string; until: string } | null => {
  const others = index.senders.others();
  let first = others === null ? Infinity : others.first;
  for (const sender of index.senders.all()) first = Math.min(first, sender.first);
  const from = Math.max(first, since ?? 0);
  const end = Math.min(index.state().heldUntil, now, until ?? Infinity);
  return from < end ? { from: formatMicros(micros(from)), until: formatMicros(micros(end)) } : null;
};
