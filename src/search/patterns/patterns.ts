import type { Clock, Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { Answer } from '#wire/search';
import type { Pattern, PatternsFolded } from '#wire/patterns';
import { answerTo } from '../answer.ts';
import { SearchError } from '../errors.ts';
import type { FreshnessReader } from '../freshness.ts';
import type { Query } from '../query/expression.ts';
import { readQuery } from '../query/read.ts';
import { parseWhen } from '../query/when.ts';
import { asSearchError, compiledFor } from '../search.ts';
import { countSelected, type Selection } from '../slices.ts';
import { byLines, foldLines, together, type Template } from './fold.ts';
import { unseen } from './unseen.ts';
import { foldWords } from './words.ts';

export type PatternsAsked = { query: string; newSince: string | null; limit: number };

export type PatternsFound = { patterns: Pattern[]; folded: PatternsFolded; answer: Answer };

/** Milliseconds for folding lines; and as much again for looking at what was before. */
const foldMs = 10_000;

/** The patterns of the lines that match. @throws SearchError */
export const patterns = async (
  index: Index,
  { query: text, newSince, limit }: PatternsAsked,
  clock: Clock,
  freshness: FreshnessReader,
): Promise<PatternsFound> => {
  const started = clock.elapsed();
  const asked = await readQuery(index, text, clock);
  const since = newSince === null ? null : newSinceTime(newSince, clock.now());
  const query = since === null ? asked : { ...asked, since: later(asked.since, since) };
  const searched = `entry < ${index.state().indexed}`;
  const select = async (of: Query): Promise<Selection> => {
    const { where, parameters } = await compiledFor(index, of, searched);
    return { where: `${searched} AND ${where}`, parameters };
  };
  const compiled = await compiledFor(index, query, searched);
  return asSearchError(index, compiled, async () => {
    const selection = await select(query);
    const count = await countSelected(index, selection);
    const folding = await foldLines(index, selection, count, clock.elapsed() + foldMs, clock);
    const before = since === null ? null : await select({ ...asked, since: null, until: since });
    const found =
      before === null
        ? foldWords(folding.templates).map(({ template, of }) => ({
            ...joined(template, of),
            isNew: undefined,
          }))
        : await unseen(index, folding.templates, before, clock.elapsed() + foldMs, clock);
    found.sort(byLines);
    const shown = found.slice(0, limit);
    return {
      patterns: shown.map(({ isNew, ...one }) => ({
        ...patternOf(one, folding.lines),
        ...(isNew === undefined ? {} : { isNew }),
      })),
      folded: { folded: { lines: folding.lines, of: count, patterns: found.length } },
      answer: await answerTo(
        index,
        { query: compiled.query, shown: shown.map(({ example }) => ({ address: example })), count, started },
        clock,
        freshness,
      ),
    };
  });
};

/** @throws SearchError `bad-query` without a column: it stands beside the query */
const newSinceTime = (text: string, now: Micros): Micros => {
  try {
    return parseWhen('since', { text, quoted: true, column: 0 }, now);
  } catch (error) {
    if (!(error instanceof SearchError)) throw error;
    throw new SearchError('bad-query', error.message, {
      cause: error,
      suggestion: error.suggestion?.replaceAll('since:', '') ?? null,
    });
  }
};

const later = (a: Micros | null, b: Micros): Micros => (a !== null && a > b ? a : b);

/** Templates that are one. */
export const joined = (template: string, of: readonly Template[]): Template => ({
  ...of.reduce(together),
  template,
});

const patternOf = ({ template, app, lines, first, last, example }: Template, folded: number): Pattern => ({
  template,
  app: app === '' ? null : app,
  lines,
  share: Math.round((lines / folded) * 10_000) / 10_000,
  first: formatMicros(first),
  last: formatMicros(last),
  example,
});
