import type { Engine, TableLayout } from './engine/engine.ts';
import { parserVersion } from './project/project.ts';

/**
 * Raised whenever the layout changes: an index of another layout cannot be asked, so it is emptied and made again from
 * the vault. Where only `parserVersion` is another, it is read again behind the one that is searched (reparse.ts).
 */
export const indexVersion = 4;

/** Seconds for which parts are kept that others have replaced. */
export const oldPartsLifetime = 15;

/**
 * One row per line. `raw = prefix ‖ message ‖ suffix` byte by byte wherever the message is a slice of the line; else
 * `raw` holds the line and prefix and suffix are empty. Strings are bytes, not necessarily UTF-8, except host, app,
 * source, listener, via, tls_name and stream.
 *
 * `time` is what search sorts by: `claimed` if the line has one from ten years before `received` (one day, if the sender
 * says that its clock is not set) to one day after, else `received`. 255 in facility or severity means none. `content` tells lines apart that came under one number: eight
 * bytes of a hash of meta and raw, zero for lines without a number. `dedup` is a hash of what a sender without numbers
 * tells repeated lines by, a journal's cursor or an Idempotency-Key, zero where there is none; `content` is then a hash
 * of the bytes under it.
 *
 * `part` is 0 where the row's bytes are the record's; lines that were taken out of a body are counted from 1.
 */
export const lines: TableLayout = {
  name: 'lines',
  columns: [
    ['entry', 'UInt64'],
    ['line', 'UInt32'],
    ['part', 'UInt32'],
    ['time', "DateTime64(6, 'UTC')"],
    ['claimed', "Nullable(DateTime64(6, 'UTC'))"],
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
    ['raw', 'String'],
    ['flags', 'UInt16'],
    ['parser_version', 'UInt8'],
    ['confidence', 'UInt8'],
    ['tls_name', 'LowCardinality(String)'],
    ['stream', 'LowCardinality(String)'],
    ['sequence', 'UInt64'],
    ['content', 'FixedString(8)'],
    ['dedup', 'FixedString(16)'],
  ],
};

/** The newest row says how far the index is; see progress.ts. */
export const progress: TableLayout = {
  name: 'progress',
  columns: [
    ['revision', 'UInt64'],
    ['entry', 'UInt64'],
    ['lines', 'UInt64'],
    ['state', 'String'],
  ],
};

/** The newest row of a version saves reading everything at the start; see remembered.ts. */
export const remembered: TableLayout = {
  name: 'remembered',
  columns: [
    ['version', 'String'],
    ['revision', 'UInt64'],
    ['entry', 'UInt64'],
    ['state', 'String'],
  ],
};

/** Tells two sets of tables apart where one takes the place of the other. */
const madeBy = `COMMENT 'parser ${parserVersion}'`;

const codecs: Record<string, string> = {
  entry: 'CODEC(DoubleDelta, ZSTD(1))',
  line: 'CODEC(Delta, ZSTD(1))',
  time: 'CODEC(Delta, ZSTD(1))',
  claimed: 'CODEC(Delta, ZSTD(1))',
  received: 'CODEC(Delta, ZSTD(1))',
  committed: 'CODEC(Delta, ZSTD(1))',
  message: 'CODEC(ZSTD(1))',
  prefix: 'CODEC(ZSTD(1))',
  suffix: 'CODEC(ZSTD(1))',
  raw: 'CODEC(ZSTD(1))',
  fields: 'CODEC(ZSTD(1))',
  sequence: 'CODEC(Delta, ZSTD(1))',
  dedup: 'CODEC(ZSTD(1))',
};

const columnList = (table: TableLayout): string =>
  table.columns
    .map(([name, type]) => `${name} ${type} ${table.name === 'lines' ? (codecs[name] ?? '') : ''}`.trimEnd())
    .join(',\n  ');

/**
 * `text(splitByNonAlpha)` over the lower-cased message answers `ILIKE '%needle%'` from its dictionary, with the same
 * rows as a scan would give, so that substrings need no n-grams.
 */
const statements = (): string[] => [
  `CREATE TABLE IF NOT EXISTS lines (
  ${columnList(lines)},
  INDEX message_tokens message TYPE text(tokenizer = splitByNonAlpha, preprocessor = lower(message)),
  INDEX time_range time TYPE minmax GRANULARITY 1,
  INDEX entry_range entry TYPE minmax GRANULARITY 1,
  INDEX dedup_values dedup TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(received)
ORDER BY (app, time)
SETTINGS fsync_after_insert = 0, old_parts_lifetime = ${oldPartsLifetime}
${madeBy}`,
  `CREATE TABLE IF NOT EXISTS progress (
  ${columnList(progress)}
) ENGINE = ReplacingMergeTree(revision)
ORDER BY tuple()
SETTINGS old_parts_lifetime = ${oldPartsLifetime}
${madeBy}`,
  `CREATE TABLE IF NOT EXISTS remembered (
  ${columnList(remembered)}
) ENGINE = ReplacingMergeTree(revision)
ORDER BY version
SETTINGS old_parts_lifetime = ${oldPartsLifetime}
${madeBy}`,
];

/** @throws IndexError */
export const createTables = async (engine: Engine): Promise<void> => {
  for (const statement of statements()) await engine.run('background', statement);
};

/** @throws IndexError */
export const dropTables = async (engine: Engine): Promise<void> => {
  for (const table of [lines, progress, remembered])
    await engine.run('background', `DROP TABLE IF EXISTS ${table.name} SYNC`);
};
