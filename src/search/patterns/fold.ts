import { micros, type Clock, type Micros } from '#base/clock';
import { messageTemplate, type Index } from '#index';
import { slices, type Selection } from '../slices.ts';

/** What is known of the lines of one program that have one template. */
export type Template = {
  app: string;
  template: string;
  lines: number;
  first: Micros;
  last: Micros;
  /** Address of the newest of them. */
  example: string;
};

export type Folding = {
  templates: Template[];
  /** Lines that were folded. */
  lines: number;
  /** Whether those are all. */
  whole: boolean;
};

/** Forms that one statement tells apart, and templates that are kept; lines of others are left out. */
const mostForms = 20_000;
const mostTemplates = 50_000;

/** As much of a message as is looked at, bytes. */
const longest = 2048;

/**
 * A form of the message that is at least as fine as its template, at one pass of the engine over it: quoted texts, values
 * of `name=value`, paths, and what has a digit in it, are `*`.
 */
export const formSql = `replaceRegexpAll(substring(message, 1, ${longest}), '"[^"]*"|=[^\\\\s"\\',;)\\\\]]+|/[^\\\\s"\\',;)\\\\]]+|[A-Za-z_.:@%+~-]*[0-9](?:[A-Za-z0-9_.:@%+~-]*[A-Za-z0-9_@%+~-])?', '*')`;

/**
 * Folds what is selected, the newest lines first, until the time is over: in the engine by form, then by template.
 * @param lines how many are selected
 * @param until the clock's `elapsed()`
 * @throws IndexError
 */
export const foldLines = async (
  index: Index,
  selection: Selection,
  lines: number,
  until: number,
  clock: Clock,
): Promise<Folding> => {
  const templates = new Map<string, Template>();
  let folded = 0;
  for await (const { where, parameters } of slices(index, selection, lines, until, clock)) {
    const rows = await index.engine.rows(
      'interactive',
      `SELECT app, any(substring(message, 1, ${longest})) AS text, count() AS n,
        toUnixTimestamp64Micro(min(time)) AS first, toUnixTimestamp64Micro(max(time)) AS last,
        max((toUnixTimestamp64Micro(time), entry, line, part)) AS newest
      FROM lines WHERE ${where} GROUP BY app, cityHash64(${formSql})
      SETTINGS max_rows_to_group_by = ${mostForms}, group_by_overflow_mode = 'any'`,
      parameters,
    );
    for (const row of rows) folded += merge(templates, templateOf(row));
    // Other searches are served by this thread too.
    await new Promise(setImmediate);
  }
  return { templates: [...templates.values()], lines: folded, whole: folded >= lines };
};

const templateOf = (row: Record<string, unknown>): Template => {
  const [, entry, line, part] = Array.isArray(row['newest']) ? row['newest'].map(Number) : [];
  return {
    app: String(row['app']),
    template: messageTemplate(String(row['text'])),
    lines: Number(row['n']),
    first: micros(Number(row['first'])),
    last: micros(Number(row['last'])),
    example: `${entry}:${line}${part === 0 ? '' : `/${part}`}`,
  };
};

/** @returns lines that it took */
const merge = (templates: Map<string, Template>, one: Template): number => {
  const key = `${one.app}\n${one.template}`;
  const known = templates.get(key);
  if (known === undefined) {
    if (templates.size >= mostTemplates) return 0;
    templates.set(key, one);
  } else templates.set(key, together(known, one));
  return one.lines;
};

/** The same of two that are one, under the first's template. */
export const together = (a: Template, b: Template): Template => ({
  ...a,
  lines: a.lines + b.lines,
  first: b.first < a.first ? b.first : a.first,
  last: b.last > a.last ? b.last : a.last,
  example: (b.last - a.last || byAddress(b.example, a.example)) > 0 ? b.example : a.example,
});

/** Of lines of one time too it is always the same one, however the index came about. */
const byAddress = new Intl.Collator('en', { numeric: true }).compare;

/** The most lines first; an order of which nothing hangs on how the index came about. */
export const byLines = (a: Template, b: Template): number =>
  b.lines - a.lines || compare(a.app, b.app) || compare(a.template, b.template);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
