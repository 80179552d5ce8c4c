import { micros } from '#base/clock';
import type { Engine } from './engine/engine.ts';
import { Numbering, type Range } from './numbering.ts';
import { fromText } from './parse/byte-string.ts';
import { parserVersion } from './project/project.ts';
import { RowBinaryWriter } from './project/row-binary.ts';
import { createTables, dropTables, indexVersion, progress as progressTable } from './schema.ts';
import { Senders } from './senders.ts';

/** An entry of the vault whose bytes are not what its checkpoint says: its lines are not in the index. */
export type AlteredEntry = { entry: number; reason: string };

/** How far the index is. Written after the rows it speaks of, so rows beyond `entry` are of an insert cut short. */
export type Progress = {
  /** Origin of the vault that was read; `''` before the first checkpoint. */
  origin: string;
  /** Entries below this are in the index. */
  entry: number;
  /** Rows in the index. */
  lines: number;
  /** Lines that were delivered again by a sender that numbers them, and left out. */
  redelivered: number;
  /** Sequence numbers taken in; never changed, copied for the next group. */
  numbering: Numbering;
  altered: readonly AlteredEntry[];
};

export const nothingIndexed: Progress = {
  origin: '',
  entry: 0,
  lines: 0,
  redelivered: 0,
  numbering: new Numbering(),
  altered: [],
};

type Stored = {
  version: string;
  origin: string;
  redelivered: number;
  numbering: [string, Range[]][];
  altered: AlteredEntry[];
};

const version = `${indexVersion}.${parserVersion}`;

/** @throws IndexError */
export const writeProgress = async (engine: Engine, progress: Progress): Promise<void> => {
  const { origin, redelivered, numbering, altered } = progress;
  const stored: Stored = {
    version,
    origin,
    redelivered,
    numbering: numbering.entries(),
    altered: [...altered],
  };
  const state = fromText(JSON.stringify(stored));
  const writer = new RowBinaryWriter();
  writer.reserve(state.length + 64);
  writer.int64(progress.entry);
  writer.int64(progress.lines);
  writer.string(state);
  await engine.insert(progressTable, [writer.bytes()]);
};

/** What `recover` found, for the process's own log. */
export type Recovery = {
  progress: Progress;
  found: 'empty' | 'resumed' | 'undone rows of an insert cut short' | 'not usable';
  detail: string;
};

/**
 * Brings the tables into the state that the last progress speaks of. Rows beyond it are deleted: they would come twice.
 * An index of another version, or one that has fewer or more rows than its progress says (a power cut), is emptied and
 * made again from the vault.
 * @throws IndexError
 */
export const recover = async (engine: Engine): Promise<Recovery> => {
  await createTables(engine);
  const read = await readProgress(engine);
  if (read === 'other version') return startAgain(engine, 'it was made by another version');
  const progress = read ?? nothingIndexed;
  const beyond = await undo(engine, progress.entry);
  const rows = await count(engine, 'SELECT count() AS n FROM lines');
  if (rows !== progress.lines)
    return startAgain(engine, `it has ${rows} lines where its progress says ${progress.lines}`);
  if (beyond > 0)
    return {
      progress,
      found: 'undone rows of an insert cut short',
      detail: `${beyond} lines from entry ${progress.entry} on`,
    };
  return {
    progress,
    found: read === null ? 'empty' : 'resumed',
    detail: `${progress.lines} lines of ${progress.entry} entries`,
  };
};

/** Deletes the rows of entries from `entry` on. @returns how many there were @throws IndexError */
export const undo = async (engine: Engine, entry: number): Promise<number> => {
  const rows = await count(engine, `SELECT count() AS n FROM lines WHERE entry >= ${entry}`);
  if (rows > 0)
    await engine.run(
      'background',
      `ALTER TABLE lines DELETE WHERE entry >= ${entry} SETTINGS mutations_sync = 2`,
    );
  return rows;
};

/** Empties the index. @throws IndexError */
export const emptyIndex = async (engine: Engine): Promise<void> => {
  await dropTables(engine);
  await createTables(engine);
};

const startAgain = async (engine: Engine, detail: string): Promise<Recovery> => {
  await emptyIndex(engine);
  return { progress: nothingIndexed, found: 'not usable', detail };
};

const readProgress = async (engine: Engine): Promise<Progress | null | 'other version'> => {
  const [row] = await engine.rows(
    'background',
    'SELECT entry, lines, state FROM progress ORDER BY entry DESC LIMIT 1',
  );
  if (row === undefined) return null;
  const stored = parseStored(String(row['state']));
  if (stored === null) return 'other version';
  return {
    origin: stored.origin,
    entry: Number(row['entry']),
    lines: Number(row['lines']),
    redelivered: stored.redelivered,
    numbering: new Numbering(stored.numbering),
    altered: stored.altered,
  };
};

/** Only this program writes it, so its version is all that has to be looked at. */
const parseStored = (json: string): Stored | null => {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null && 'version' in value && value.version === version
    ? (value as Stored)
    : null;
};

const count = async (engine: Engine, sql: string): Promise<number> =>
  Number((await engine.rows('background', sql))[0]?.['n'] ?? 0);

/** Everybody who has lines in the index. @throws IndexError */
export const loadSenders = async (engine: Engine): Promise<Senders> => {
  const senders = new Senders();
  const rows = await engine.rows(
    'background',
    `SELECT app, host, source, via, listener, stream != '' AS numbered, count() AS lines,
      toUnixTimestamp64Micro(min(time)) AS first, toUnixTimestamp64Micro(max(time)) AS last
    FROM lines GROUP BY app, host, source, via, listener, numbered`,
  );
  for (const row of rows) {
    senders.put({
      app: String(row['app']),
      host: String(row['host']),
      source: String(row['source']),
      via: String(row['via']),
      listener: String(row['listener']),
      numbered: Number(row['numbered']) === 1,
      lines: Number(row['lines']),
      first: micros(Number(row['first'])),
      last: micros(Number(row['last'])),
    });
  }
  return senders;
};
