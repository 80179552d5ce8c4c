import { IndexError, type Index, type Parameters } from '#index';
import { parseLineAddress } from '#vault/record';
import type { Hit } from '#wire/search';
import { hitColumns, readHits } from './hit.ts';
import { compileByWords, type Compiled } from './query/compile.ts';
import type { Prepared } from './query/prepare.ts';
import { lookUpWords } from './query/runs.ts';

/** Lines that match, as the table is asked for them. */
export type MatchingLines = {
  /** @throws IndexError */
  count(): Promise<number>;
  /**
   * At most so many, in the order of their time from that end on.
   * @param time a condition on it, to look at fewer
   * @throws IndexError
   */
  hits(from: 'newest' | 'oldest', most: number, time?: string): Promise<Hit[]>;
  /**
   * So many of them, if there are as many: whichever are found first, in the order of their time. `null` where they are in
   * more blocks of the table, and so are more.
   * @throws IndexError
   */
  some(from: 'newest' | 'oldest', most: number): Promise<Hit[] | null>;
  /** For a statement of one's own. @param columns that it names, if these are several tables to it */
  rows(columns: string): Rows;
  /** Whether most of them are found without a look at any message. */
  told: boolean;
  /** Whether what it was made with is so still; else what it gave may be wrong. */
  holds(): boolean;
};

/** What stands in a statement after FROM, with its conditions. */
export type Rows = {
  from: string;
  parameters: Parameters;
  /** What stands at the statement's end, or nothing. */
  settings: string;
};

type Range = { entries: string; compiled: Compiled };

/**
 * Entries whose words are known (src/index/words) are asked for by these, the others, which are few, by the text alone.
 * @param to entries below are searched
 * @param words `leave`: as if no words were known
 */
export const matchingLines = async (
  index: Index,
  prepared: Prepared,
  to: number,
  words: 'use' | 'leave',
): Promise<MatchingLines> => {
  const known = words === 'use' ? index.words() : null;
  const below = Math.min(known?.below ?? 0, to);
  const all: Range[] = [{ entries: `entry < ${to}`, compiled: prepared }];
  if (known === null || below === 0) return asked(index, all, () => true);
  const { query, names } = prepared;
  const compiled = compileByWords(query, names, await lookUpWords(query.expression, names, known));
  if (compiled.every((one) => one.words === 'true')) return asked(index, all, () => true);
  const ranges: Range[] = [
    ...compiled.map((one) => ({ entries: `entry < ${below}`, compiled: one })),
    ...(below < to ? [{ entries: `entry >= ${below} AND entry < ${to}`, compiled: prepared }] : []),
  ];
  return asked(index, ranges, known.holds);
};

/** Once more, where what was known of words was forgotten meanwhile. */
export const withMatchingLines = async <T>(
  index: Index,
  prepared: Prepared,
  to: number,
  work: (lines: MatchingLines) => Promise<T>,
): Promise<T> => {
  const lines = await matchingLines(index, prepared, to, 'use');
  const done = await work(lines);
  return lines.holds() ? done : work(await matchingLines(index, prepared, to, 'leave'));
};

const asked = (index: Index, ranges: readonly Range[], holds: () => boolean): MatchingLines => ({
  async count() {
    const counts = await Promise.all(
      ranges.map(async (range) => {
        const { rows, settings, parameters } = statement(range);
        const [row] = await index.engine.rows(
          'interactive',
          `SELECT count() AS n FROM ${rows}${settingsSql(settings)}`,
          parameters,
        );
        return Number(row?.['n'] ?? 0);
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  },
  hits(from, most, time = 'true') {
    const direction = from === 'newest' ? 'DESC' : 'ASC';
    const order = ['time', 'entry', 'line', 'part'].map((column) => `${column} ${direction}`).join(', ');
    return read(index, ranges.map(statement), from, most, `AND ${time} ORDER BY ${order}`);
  },
  async some(from, most) {
    const statements = ranges.map((range) => indexFirst(statement(range), most));
    try {
      return await read(index, statements, from, most, '');
    } catch (error) {
      if (error instanceof IndexError && error.engineCode === tooManyRows) return null;
      throw error;
    }
  },
  rows(columns) {
    const statements = ranges.map(statement);
    const [first] = statements;
    const selects = statements.map(({ rows }) => `SELECT ${columns} FROM ${rows}`);
    return {
      from: first !== undefined && statements.length === 1 ? first.rows : `(${selects.join(' UNION ALL ')})`,
      parameters: Object.assign({}, ...statements.map(({ parameters }) => parameters)) as Parameters,
      settings: settingsSql([...new Set(statements.flatMap(({ settings }) => settings))]),
    };
  },
  // The others are those that came of late.
  told: ranges.filter(({ entries }) => entries === ranges[0]?.entries).every(({ compiled }) => compiled.told),
  holds,
});

/** @param rest of the statement, before its LIMIT */
const read = async (
  index: Index,
  statements: readonly Statement[],
  from: 'newest' | 'oldest',
  most: number,
  rest: string,
): Promise<Hit[]> => {
  const found = await Promise.all(
    statements.map(async ({ rows, settings, parameters }) =>
      readHits(
        await index.engine.binary(
          'interactive',
          `SELECT ${hitColumns} FROM ${rows} ${rest} LIMIT ${most}${settingsSql(settings)}`,
          parameters,
        ),
      ),
    ),
  );
  const sign = from === 'newest' ? -1 : 1;
  return found
    .flat()
    .toSorted((a, b) => sign * inTime(a, b))
    .slice(0, most);
};

/** As the engine orders them. */
const inTime = (a: Hit, b: Hit): number => {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  const [one, other] = [parseLineAddress(a.address), parseLineAddress(b.address)];
  if (one === null || other === null) return 0;
  return one.entry - other.entry || one.line - other.line || (one.part ?? 0) - (other.part ?? 0);
};

type Statement = { rows: string; settings: readonly string[]; parameters: Compiled['parameters'] };

/**
 * Messages are then read only where words leave any, and need not be looked up in the dictionary. Nearly all lines are of
 * these entries, so that words go first.
 */
const statement = ({ entries, compiled: { words, where, parameters } }: Range): Statement =>
  words === 'true'
    ? { rows: `lines WHERE ${entries} AND ${where}`, settings: [], parameters }
    : {
        rows: `lines PREWHERE ${words} WHERE ${entries} AND ${where}`,
        settings: ['use_text_index_like_evaluation_by_dictionary_scan = 0'],
        parameters,
      };

/** Lines of one block of the table, which is read as a whole, and the engine's word for more of them than it may read. */
const blockLines = 8192;
const tooManyRows = 158;

/**
 * The engine looks in the token index as it comes to each part, and by then has made a reader for each of its columns:
 * for what few lines have, that is most of the work. So all parts' are looked in before.
 */
const indexFirst = ({ settings, ...rest }: Statement, blocks: number): Statement => ({
  ...rest,
  settings: [...settings, 'use_skip_indexes_on_data_read = 0', `max_rows_to_read = ${blocks * blockLines}`],
});

const settingsSql = (settings: readonly string[]): string =>
  settings.length === 0 ? '' : ` SETTINGS ${settings.join(', ')}`;
