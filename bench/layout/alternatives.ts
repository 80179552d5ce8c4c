import { tables } from '#index';
import { fieldIndex } from '../../src/index/schema.ts';
import type { TableDefinition } from '../../src/index/engine/engine.ts';
import { BenchError } from '../errors.ts';

/** Another way in which the table of lines could be laid out. */
export type Alternative = {
  name: string;
  /** Its rows have all columns, or those alone that questions of texts need. */
  columns: 'all' | 'text';
  definition: TableDefinition;
  /** What has to be asked as well for its index to be used; `''`: nothing. */
  indexed(question: string, needle: string): string;
};

export const lines: TableDefinition = (() => {
  const found = tables.find(({ name }) => name === 'lines');
  if (found === undefined) throw new BenchError('failed', 'the index has no table of lines');
  return found;
})();

const textColumns = new Set(['entry', 'line', 'part', 'time', 'received', 'app', 'form', 'via', 'message']);

const nothing: Alternative['indexed'] = () => '';

const ordered = (name: string, change: Partial<TableDefinition>): Alternative => ({
  name,
  columns: 'all',
  definition: { ...lines, ...change, name: tableName(name) },
  indexed: nothing,
});

/** @param index its type, and of what; `null`: none */
const tokenized = (name: string, index: string | null, indexed = nothing): Alternative => ({
  name,
  columns: 'text',
  definition: {
    ...lines,
    name: tableName(name),
    columns: lines.columns.filter(([column]) => textColumns.has(column)),
    aliases: [],
    codecs: Object.fromEntries(Object.entries(lines.codecs).filter(([column]) => textColumns.has(column))),
    indices: [...(index === null ? [] : [`tokens ${index}`]), 'time_range time TYPE minmax GRANULARITY 1'],
  },
  indexed,
});

const tableName = (name: string): string => `layout_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`;

const text = (more: string): string => `message TYPE text(${more}, preprocessor = lower(message))`;

/** It knows whole tokens alone; the first and the last of a phrase may be parts of longer ones. */
const wholeTokens = (question: string, needle: string): string => {
  const runs = needle.toLowerCase().split(/[^a-z0-9]+/);
  const whole = question === 'rare token' ? runs : runs.slice(1, -1);
  return whole.map((token) => `hasToken(lower(message), '${token}')`).join(' AND ');
};

/** `ILIKE` is not answered from n-grams. */
const lowerLike = (_question: string, needle: string): string =>
  `lower(message) LIKE '%${needle.toLowerCase().replace(/[\\%_]/g, '\\\\$&')}%'`;

export const alternatives: readonly Alternative[] = [
  ordered('as it is', {}),
  ordered('ORDER BY time', { order: 'time' }),
  ordered('ORDER BY app, time', { order: '(app, time)' }),
  ordered('ORDER BY app, form, time', { order: '(app, form, time)' }),
  ordered('ORDER BY app, host, time', { order: '(app, host, time)' }),
  ordered('no index of fields', { indices: lines.indices.filter((index) => !index.startsWith(fieldIndex)) }),
  ordered('messages in LZ4', { codecs: { ...lines.codecs, message: 'LZ4' } }),
  ordered('messages in LZ4HC', { codecs: { ...lines.codecs, message: 'LZ4HC(3)' } }),
  ordered('granules of 2,048 rows', { settings: [...lines.settings, 'index_granularity = 2048'] }),
  ordered('a partition a day', { partition: 'toYYYYMMDD(received)' }),
  tokenized('no token index', null),
  tokenized('splitByNonAlpha', text('tokenizer = splitByNonAlpha')),
  tokenized(
    'splitByNonAlpha, bit-packed',
    text("tokenizer = splitByNonAlpha, posting_list_codec = 'bitpacking'"),
  ),
  tokenized('tokenbf_v1', 'lower(message) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1', wholeTokens),
  tokenized('ngrams(4)', 'lower(message) TYPE text(tokenizer = ngrams(4))', lowerLike),
];

/** Another codec for a column. What the table has is among them. */
export const codecs: Readonly<Record<string, readonly string[]>> = {
  time: ['LZ4', 'Delta, ZSTD(1)', 'DoubleDelta, ZSTD(1)', "Delta, T64('bit'), ZSTD(1)"],
  received: ['Delta, ZSTD(1)', "Delta, T64('bit'), ZSTD(1)"],
  line: ['LZ4', 'Delta, ZSTD(1)', "T64('bit'), ZSTD(1)", "Delta, T64('bit'), ZSTD(1)"],
  host: ['LZ4', 'ZSTD(1)'],
  pid: ['LZ4', 'ZSTD(1)', 'ZSTD(3)'],
  message: ['LZ4', 'LZ4HC(3)', 'ZSTD(1)', 'ZSTD(3)', 'ZSTD(6)'],
  fields: ['LZ4', 'ZSTD(1)', 'ZSTD(3)'],
  prefix: ['LZ4', 'ZSTD(1)'],
};
