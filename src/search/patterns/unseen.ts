import type { Clock } from '#base/clock';
import { variable, type Index } from '#index';
import { countSelected, type Selection } from '../slices.ts';
import { byLines, foldLines, together, type Template } from './fold.ts';
import { foldWords } from './words.ts';

export type Unseen = Template & { isNew: 'new' | 'unknown' };

/** Templates that are looked for one by one in what was before. */
const mostLookedFor = 200;

/** Of the lines before so many are folded, the newest: they show which words are values. */
const foldedBefore = 500_000;

/**
 * Which templates no line before fits. Words that are values in both together are values; what then is of newer lines
 * alone is looked for in all that was before, by program and by the whole template.
 * @param before what was before, of the same query
 * @param until the clock's `elapsed()` at which looking ends
 * @throws IndexError
 */
export const unseen = async (
  index: Index,
  fresh: readonly Template[],
  before: Selection,
  until: number,
  clock: Clock,
): Promise<Unseen[]> => {
  const lines = await countSelected(index, before);
  const halfway = (clock.elapsed() + until) / 2;
  const old = await foldLines(index, before, lines, lines > foldedBefore ? halfway : until, clock);
  const candidates = foldWords([
    ...fresh.map((one) => ({ ...one, isFresh: true })),
    ...old.templates.map((one) => ({ ...one, isFresh: false })),
  ])
    .filter(({ of }) => of.every(({ isFresh }) => isFresh))
    .map(({ template, of }) => ({
      ...of.map(({ isFresh: _, ...one }): Template => one).reduce(together),
      template,
    }))
    .toSorted(byLines);
  if (old.whole) return candidates.map((one) => ({ ...one, isNew: 'new' }));
  const found: Unseen[] = [];
  for (const [at, one] of candidates.entries()) {
    if (at >= mostLookedFor || clock.elapsed() >= until) found.push({ ...one, isNew: 'unknown' });
    else if (!(await wasThere(index, one, before))) found.push({ ...one, isNew: 'new' });
  }
  return found;
};

/** Whether a line before fits the template. @throws IndexError */
export const wasThere = async (
  index: Index,
  { app, template }: { app: string; template: string },
  before: Selection,
): Promise<boolean> => {
  const rows = await index.engine.rows(
    'interactive',
    `SELECT 1 FROM lines WHERE ${before.where} AND app = {templateApp:String} AND message ILIKE {templateWord:String}
      AND match(substring(message, 1, 2048), {templatePattern:String}) LIMIT 1`,
    {
      ...before.parameters,
      templateApp: app,
      templateWord: `%${longestWord(template)}%`,
      templatePattern: patternOf(template),
    },
  );
  return rows.length > 0;
};

/** The longest run of letters and digits, by which the token index finds lines. */
const longestWord = (template: string): string =>
  template.split(/[^0-9A-Za-z]+/).reduce((longest, run) => (run.length > longest.length ? run : longest), '');

/** RE2 for the messages that have the template. What was no UTF-8 may be anything. */
const patternOf = (template: string): string => {
  const literal = template
    .split(variable)
    .map((text) =>
      text
        .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replaceAll(' ', '\\s+')
        .replace(/\ufffd+/g, '.*'),
    )
    .join('.*');
  return `(?s)^\\s*${literal}\\s*$`;
};
