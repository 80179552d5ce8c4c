import { micros, type Micros } from '#base/clock';
import type { Engine } from './engine/engine.ts';
import { IndexError } from './errors.ts';
import { Numbering, type Range } from './numbering.ts';
import { rowsMatching } from './matching.ts';
import { fromText, type ByteString } from './parse/byte-string.ts';
import { parserVersion } from './project/row.ts';
import { GrowingBytes } from './project/native/bytes.ts';
import { createTables, dropTables, indexVersion, lines, progress as progressTable } from './schema.ts';

/** An entry of the vault whose bytes were not what its checkpoint says: its lines are not in the index as long as they are not. */
export type AlteredEntry = { entry: number; reason: string };

/** How far the index is. Written after the rows it speaks of, so rows beyond `entry` are of an insert cut short. */
export type Progress = {
  /** Version of the parser that read all rows; `severalParsers` where more than one did. */
  parser: number;
  /** Origin of the vault that was read; `''` before the first checkpoint. */
  origin: string;
  /** Goes up by one with each that is written. */
  revision: number;
  /** Entries below this are in the index. */
  entry: number;
  /** Rows in the index. */
  lines: number;
  /** Lines that were delivered again by a sender that numbers them, and left out. */
  redelivered: number;
  /** Lines that came under a number that another line had; they are in the index, flagged. */
  conflicts: number;
  /** What was received up to here is in the index, as far as the vault tells; 0 = nothing can be said. */
  heldUntil: Micros;
  /** Sequence numbers taken in; never changed, copied for the next group. */
  numbering: Numbering;
  altered: readonly AlteredEntry[];
  /** Entries of the vault below this that take lines away have been heeded. */
  amended: number;
  /** Conditions of rows that are being deleted: `lines` does not count them any more. */
  deleting: readonly string[];
  /** Lines that were left out because they came again, and where; `null`: too many to name. */
  repeats: readonly Repeat[] | null;
};

export const severalParsers = 0;

/** Lines of one entry that were left out, by their numbers; under a key, which then is the stream, by 0. */
export type Repeat = { entry: number; stream: ByteString; first: number; last: number };

/** Repeats beyond this are not named one by one. */
export const mostRepeats = 4096;

export const nothingIndexed: Progress = {
  parser: parserVersion,
  origin: '',
  revision: 0,
  entry: 0,
  lines: 0,
  redelivered: 0,
  conflicts: 0,
  heldUntil: micros(0),
  numbering: new Numbering(),
  altered: [],
  amended: 0,
  deleting: [],
  repeats: [],
};

type Stored = Pick<
  Progress,
  'origin' | 'redelivered' | 'conflicts' | 'heldUntil' | 'amended' | 'deleting' | 'repeats'
> & {
  version: string;
  numbering: [string, Range[]][];
  altered: AlteredEntry[];
};

/** @throws IndexError */
export const writeProgress = async (engine: Engine, progress: Progress): Promise<void> => {
  const {
    parser,
    origin,
    redelivered,
    conflicts,
    heldUntil,
    numbering,
    altered,
    amended,
    deleting,
    repeats,
  } = progress;
  const stored: Stored = {
    version: `${indexVersion}.${parser}`,
    origin,
    redelivered,
    conflicts,
    heldUntil,
    numbering: numbering.entries(),
    altered: [...altered],
    amended,
    deleting,
    repeats,
  };
  const state = fromText(JSON.stringify(stored));
  const writer = new GrowingBytes();
  writer.int64(progress.revision);
  writer.int64(progress.entry);
  writer.int64(progress.lines);
  writer.string(state);
  await engine.insert(progressTable, [writer.view()]);
};

/** What `recover` found, for the process's own log. */
export type Recovery = {
  progress: Progress;
  found: 'empty' | 'resumed' | 'undone rows of an insert cut short' | 'not usable';
  detail: string;
};

/**
 * Brings the tables into the state that the last progress speaks of. Rows beyond it are deleted: they would come twice.
 * An index of another layout, or one that has fewer or more rows than its progress says (a power cut), is emptied and
 * made again from the vault.
 * @throws IndexError
 */
export const recover = async (engine: Engine): Promise<Recovery> => {
  await createTables(engine);
  const read = await readProgress(engine);
  if (read === 'other version') return startAgain(engine, 'it was made by another version');
  const progress = read ?? nothingIndexed;
  const beyond = await undo(engine, progress);
  const rows = await rowsMatching(engine, 'true');
  if (rows !== progress.lines)
    return startAgain(engine, `it has ${rows} lines where its progress says ${progress.lines}`);
  if (beyond > 0)
    return {
      progress,
      found: 'undone rows of an insert cut short',
      detail: `${beyond} lines that no progress speaks of`,
    };
  return {
    progress,
    found: read === null ? 'empty' : 'resumed',
    detail: `${progress.lines} lines of ${progress.entry} entries`,
  };
};

/** The engine reads statements of up to 256 KiB. */
const entriesPerStatement = 10_000;

/**
 * Deletes the rows that a progress does not speak of: of entries beyond it, of altered ones, which come in late once
 * they are whole again, and those whose deletion was cut short.
 * @returns how many there were
 * @throws IndexError
 */
export const undo = async (engine: Engine, { entry, altered, deleting }: Progress): Promise<number> => {
  await engine.settle();
  const conditions = [`entry >= ${entry}`, ...deleting];
  for (let at = 0; at < altered.length; at += entriesPerStatement) {
    const some = altered.slice(at, at + entriesPerStatement).map((one) => one.entry);
    conditions.push(`entry IN (${some.join(', ')})`);
  }
  let undone = 0;
  for (const condition of conditions) {
    const rows = await rowsMatching(engine, condition);
    if (rows > 0) await engine.deleteRows(lines, condition);
    undone += rows;
  }
  return undone;
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

const unknownColumn = 47;

const readProgress = async (engine: Engine): Promise<Progress | null | 'other version'> => {
  let row: Record<string, unknown> | undefined;
  try {
    [row] = await engine.rows(
      'background',
      'SELECT revision, entry, lines, state FROM progress ORDER BY revision DESC LIMIT 1',
    );
  } catch (error) {
    if (error instanceof IndexError && error.engineCode === unknownColumn) return 'other version';
    throw error;
  }
  if (row === undefined) return null;
  const stored = parseStored(String(row['state']));
  if (stored === null) return 'other version';
  return {
    parser: Number(stored.version.split('.')[1]),
    origin: stored.origin,
    revision: Number(row['revision']),
    entry: Number(row['entry']),
    lines: Number(row['lines']),
    redelivered: stored.redelivered,
    conflicts: stored.conflicts,
    heldUntil: stored.heldUntil,
    numbering: new Numbering(stored.numbering),
    altered: stored.altered,
    amended: stored.amended,
    deleting: stored.deleting,
    repeats: stored.repeats,
  };
};

/**
 * Only this program writes it, so its version is all that has to be looked at. What another parser made can be searched;
 * another layout cannot.
 */
const parseStored = (json: string): Stored | null => {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    String(value.version).startsWith(`${indexVersion}.`)
    ? (value as Stored)
    : null;
};
