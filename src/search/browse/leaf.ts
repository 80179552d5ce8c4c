import type { Clock } from '#base/clock';
import { parseRfc3339 } from '#base/rfc3339';
import type { Index } from '#index';
import { parseLineAddress } from '#vault/record';
import type { Answer, Hit } from '#wire/search';
import type { LeafLine } from '#wire/browse';
import { answerTo } from '../answer.ts';
import { badQuery, SearchError } from '../errors.ts';
import type { FreshnessReader } from '../freshness.ts';
import { hitColumns, readHits } from '../hit.ts';
import { refusal } from '../refusal.ts';
import { parsePath, type Place } from './path.ts';
import { linesOf, queryOf, type Condition } from './place.ts';

/** Lines and bytes of a page; the line that reaches the latter still belongs to it. */
const mostLines = 20_000;
const mostBytes = 4 * 1024 * 1024;

/** Entries of which an answer says how many were looked at again. */
const mostEntries = 100_000;

export type Page = { kind: 'lines'; hits: Hit[]; next: string } | { kind: 'end'; answer: Answer };

/**
 * A page of a leaf, in the order of time; what is indexed after the first page is not in the later ones.
 * @throws SearchError
 */
export const leafPage = async (
  index: Index,
  { path, cursor }: { path: string; cursor: string | null },
  clock: Clock,
  freshness: FreshnessReader,
): Promise<Page> => {
  const started = clock.elapsed();
  const place = parsePath(path, clock.now());
  if (place.app === null)
    throw badQuery('this path names no program', path.length, 'a leaf is DAY/HOST/PROGRAM');
  const from = cursor === null ? null : parseCursor(cursor);
  const below = Math.min(from?.below ?? Infinity, index.state().indexed);
  const lines = linesOf(place, below);
  try {
    const hits = await readPage(index, lines, from?.after ?? null);
    const last = hits.at(-1);
    if (last !== undefined) return { kind: 'lines', hits, next: cursorText(below, last) };
    return { kind: 'end', answer: await answerOf(index, place, lines, started, clock, freshness) };
  } catch (error) {
    throw refusal(error);
  }
};

/** Key of a line, as the engine compares it. */
type Key = { time: string; entry: string; line: string; part: string };

const columns = 'time, entry, line, part';

const readPage = async (
  index: Index,
  { where, parameters }: Condition,
  after: Key | null,
): Promise<Hit[]> => {
  const rest = after === null ? where : `${where} AND ${beyond(after, '>')}`;
  const [last] = await index.engine.rows(
    'interactive',
    `SELECT toString(toUnixTimestamp64Micro(time)) AS time, toString(entry) AS entry, toString(line) AS line, toString(part) AS part
    FROM (
      SELECT ${columns}, bytes, sum(bytes) OVER (ORDER BY ${columns} ROWS UNBOUNDED PRECEDING) AS sofar
      FROM (SELECT ${columns}, size AS bytes FROM lines WHERE ${rest} ORDER BY ${columns} LIMIT ${mostLines})
    ) AS page
    WHERE sofar - bytes < ${mostBytes}
    ORDER BY page.time DESC, page.entry DESC, page.line DESC, page.part DESC LIMIT 1`,
    parameters,
  );
  if (last === undefined) return [];
  const until: Key = {
    time: String(last['time']),
    entry: String(last['entry']),
    line: String(last['line']),
    part: String(last['part']),
  };
  return readHits(
    await index.engine.binary(
      'interactive',
      `SELECT ${hitColumns} FROM lines WHERE ${rest} AND ${beyond(until, '<=')} ORDER BY ${columns}`,
      parameters,
    ),
  );
};

/** Digits only, so they may stand in the text. */
const beyond = ({ time, entry, line, part }: Key, than: '>' | '<='): string => {
  const at = `fromUnixTimestamp64Micro(toInt64(${time}))`;
  return `time ${than === '>' ? '>=' : '<='} ${at} AND (${columns}) ${than} (${at}, ${entry}, ${line}, ${part})`;
};

const cursorPattern = /^(\d{1,16}):(-?\d{1,16}):(\d{1,16}):(\d{1,10}):(\d{1,10})$/;

const parseCursor = (text: string): { below: number; after: Key } => {
  const [, below, time, entry, line, part] = cursorPattern.exec(text) ?? [];
  if (
    below === undefined ||
    time === undefined ||
    entry === undefined ||
    line === undefined ||
    part === undefined
  )
    throw new SearchError('bad-request', 'the cursor is not one that a page gave');
  return { below: Number(below), after: { time, entry, line, part } };
};

const cursorText = (below: number, { address, time }: Hit): string => {
  const at = parseLineAddress(address);
  if (at === null) throw new SearchError('internal', `a line's address cannot be read: ${address}`);
  return `${below}:${parseRfc3339(time)}:${at.entry}:${at.line}:${at.part ?? 0}`;
};

const answerOf = async (
  index: Index,
  place: Place,
  { where, parameters }: Condition,
  started: number,
  clock: Clock,
  freshness: FreshnessReader,
): Promise<Answer> => {
  const rows = await index.engine.rows(
    'interactive',
    `SELECT entry, count() AS n FROM lines WHERE ${where} GROUP BY entry ORDER BY entry LIMIT ${mostEntries}`,
    parameters,
  );
  const shown = rows.map((row) => ({ address: `${String(row['entry'])}:0` }));
  const count = rows.reduce((sum, row) => sum + Number(row['n']), 0);
  return answerTo(index, { query: queryOf(place), shown, count, started }, clock, freshness);
};

/** What came as something else than a line of text. */
const structured = new Set(['journal', 'kernel']);

/** A line as a text file has it, or its exact bytes. */
export const leafLineOf = (hit: Hit, form: 'text' | 'raw'): LeafLine => {
  const { address, raw, time, host, app, pid, message } = hit;
  if (form === 'raw' || !structured.has(hit.via)) return { address, bytes: raw };
  const program = `${app ?? '-'}${pid === null ? '' : `[${pid}]`}`;
  return { address, bytes: Buffer.from(`${time} ${host ?? '-'} ${program}: ${message}`).toString('base64') };
};
