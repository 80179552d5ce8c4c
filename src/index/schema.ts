import { addressTokensSql } from './address-tokens.ts';
import type { Engine, TableDefinition } from './engine/engine.ts';
import { fieldTokensSql } from './field-tokens.ts';
import { claimedSql, rawSql, sizeSql } from './project/abridged.ts';
import { parserVersion } from './project/row.ts';

/**
 * Raised whenever the layout changes: an index of another layout cannot be asked, so it is emptied and made again from
 * the vault. Where only `parserVersion` is another, it is read again behind the one that is searched (reparse.ts).
 */
export const indexVersion = 8;

export const tokenIndex = 'message_tokens';
export const fieldIndex = 'field_tokens';
export const addressIndex = 'address_tokens';

/** Of a backlog they are made by merges, and behind: at insert they would cost more than all the rest. */
export const lateIndices = [tokenIndex, fieldIndex, addressIndex] as const;

/** Tells two sets of tables apart where one takes the place of the other. */
const comment = `parser ${parserVersion}`;

/**
 * One row per line. `prefix`, `message` and `suffix` are the line, byte by byte, wherever the message is a slice of it;
 * else `whole` holds the line and prefix and suffix are empty. What other columns say is left out of the prefix, and the
 * claimed time of `claimed_apart` where it is `time`; `implied` tells what (project/abridged.ts). `raw`, `size` (its bytes)
 * and `claimed` are made of these as they are asked for. Strings are bytes, not necessarily UTF-8, except host, app,
 * source, listener, via, tls_name and stream.
 *
 * `time` is what search sorts by: `claimed` if the line has one from ten years before `received` (one day, if the sender
 * says that its clock is not set) to one day after, else `received`. 255 in facility or severity means none. `content` tells lines apart that came under one number: eight
 * bytes of a hash of meta and raw, zero for lines without a number. `dedup` is a hash of what a sender without numbers
 * tells repeated lines by, a journal's cursor or an Idempotency-Key, zero where there is none; `content` is then a hash
 * of the bytes under it.
 *
 * `form` tells messages apart by how they begin (project/form.ts), for the order of rows alone.
 *
 * `part` is 0 where the row's bytes are the record's; lines that were taken out of a body are counted from 1.
 */
export const lines: TableDefinition = {
  name: 'lines',
  format: 'Native',
  columns: [
    ['entry', 'UInt64'],
    ['line', 'UInt32'],
    ['part', 'UInt32'],
    ['time', "DateTime64(6, 'UTC')"],
    ['claimed_apart', "Nullable(DateTime64(6, 'UTC'))"],
    ['received', "DateTime64(6, 'UTC')"],
    ['committed', "DateTime64(6, 'UTC')"],
    ['host', 'LowCardinality(String)'],
    ['app', 'LowCardinality(String)'],
    ['source', 'LowCardinality(String)'],
    ['listener', 'LowCardinality(String)'],
    ['via', 'LowCardinality(String)'],
    ['pid', 'Nullable(UInt32)'],
    ['facility', 'UInt8'],
    ['severity', 'UInt8'],
    ['message', 'String'],
    ['fields', 'Map(LowCardinality(String), String)'],
    ['prefix', 'String'],
    ['suffix', 'String'],
    ['whole', 'String'],
    ['implied', 'UInt16'],
    ['flags', 'UInt16'],
    ['parser_version', 'UInt8'],
    ['confidence', 'UInt8'],
    ['tls_name', 'LowCardinality(String)'],
    ['stream', 'LowCardinality(String)'],
    ['sequence', 'UInt64'],
    ['content', 'FixedString(8)'],
    ['dedup', 'FixedString(16)'],
    ['form', 'UInt8'],
  ],
  aliases: [
    ['claimed', "Nullable(DateTime64(6, 'UTC'))", claimedSql],
    ['raw', 'String', rawSql],
    ['size', 'UInt64', sizeSql],
  ],
  codecs: {
    entry: 'DoubleDelta, ZSTD(1)',
    line: "Delta, T64('bit'), ZSTD(1)",
    time: "Delta, T64('bit'), ZSTD(1)",
    claimed_apart: 'Delta, ZSTD(1)',
    received: 'Delta, ZSTD(1)',
    committed: 'Delta, ZSTD(1)',
    host: 'ZSTD(1)',
    pid: 'ZSTD(1)',
    message: 'ZSTD(1)',
    prefix: 'ZSTD(1)',
    suffix: 'ZSTD(1)',
    whole: 'ZSTD(1)',
    fields: 'ZSTD(1)',
    sequence: 'Delta, ZSTD(1)',
    dedup: 'ZSTD(1)',
    form: 'ZSTD(1)',
  },
  // `text(splitByNonAlpha)` over the lower-cased message answers `ILIKE '%needle%'` from its dictionary, with the same
  // rows as a scan would give, so that substrings need no n-grams.
  indices: [
    `${tokenIndex} message TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(message), posting_list_codec = 'bitpacking')`,
    `${fieldIndex} ${fieldTokensSql} TYPE text(tokenizer = array, posting_list_codec = 'bitpacking')`,
    // The numbers of an address are in nearly every block, so the words of the first index do not tell where it is.
    `${addressIndex} ${addressTokensSql} TYPE text(tokenizer = array, posting_list_codec = 'bitpacking')`,
    'time_range time TYPE minmax GRANULARITY 1',
    'entry_range entry TYPE minmax GRANULARITY 1',
    'dedup_values dedup TYPE bloom_filter(0.001) GRANULARITY 1',
  ],
  keeps: 'all',
  partition: 'toYYYYMM(received)',
  // Of a day's lines of a program those of one form stand together: they compress better, and a phrase is in few blocks.
  order: '(app, toDate32(time), form, time)',
  // An entry's lines stay together, so that a block which is sent again is cut as it was the first time.
  placed: 'cityHash64(entry)',
  settings: ['fsync_after_insert = 0'],
  comment,
};

/** The newest row says how far the index is; see progress.ts. */
export const progress: TableDefinition = {
  name: 'progress',
  format: 'RowBinary',
  columns: [
    ['revision', 'UInt64'],
    ['entry', 'UInt64'],
    ['lines', 'UInt64'],
    ['state', 'String'],
  ],
  aliases: [],
  codecs: {},
  indices: [],
  keeps: 'newest',
  partition: null,
  order: 'tuple()',
  placed: '0',
  settings: [],
  comment,
};

/** The newest row of a version saves reading everything at the start; see remembered.ts. */
export const remembered: TableDefinition = {
  name: 'remembered',
  format: 'RowBinary',
  columns: [
    ['version', 'String'],
    ['revision', 'UInt64'],
    ['entry', 'UInt64'],
    ['state', 'String'],
  ],
  aliases: [],
  codecs: {},
  indices: [],
  keeps: 'newest',
  partition: null,
  order: 'version',
  placed: '0',
  settings: [],
  comment,
};

export const tables: readonly TableDefinition[] = [lines, progress, remembered];

/** @throws IndexError */
export const createTables = (engine: Engine): Promise<void> => engine.createTables(tables);

/** @throws IndexError */
export const dropTables = (engine: Engine): Promise<void> => engine.dropTables(tables);
