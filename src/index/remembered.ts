import type { Engine } from './engine/engine.ts';
import { fromText } from './parse/byte-string.ts';
import type { Progress } from './progress.ts';
import { GrowingBytes } from './project/native/bytes.ts';
import { indexVersion, remembered as table } from './schema.ts';
import { mostSenders, Senders, type Others, type Sender } from './senders.ts';
import { loadSenders } from './senders-table.ts';
import type { Withdrawn } from './withdrawn.ts';

/** What could be found in the index and the vault by reading all of them, and is written down now and then instead. */
export type Remembered = {
  senders: Senders;
  withdrawn: readonly Withdrawn[] | null;
  /** How many lines these senders have. */
  lines: number;
};

export const nothingRemembered = (most: number = mostSenders): Remembered => ({
  senders: new Senders(most),
  withdrawn: null,
  lines: 0,
});

type Stored = {
  amended: number;
  senders: Sender[];
  others: Others | null;
  withdrawn: readonly Withdrawn[];
};

const versionOf = ({ parser, origin }: Progress): string => `${indexVersion}.${parser} ${origin}`;

/** @throws IndexError */
export const remember = async (
  engine: Engine,
  progress: Progress,
  { senders, withdrawn }: Remembered,
): Promise<void> => {
  const stored: Stored = {
    amended: progress.amended,
    senders: [...senders.all()],
    others: senders.others(),
    withdrawn: withdrawn ?? [],
  };
  const state = fromText(JSON.stringify(stored));
  const writer = new GrowingBytes();
  const version = fromText(versionOf(progress));
  writer.string(version);
  writer.int64(progress.revision);
  writer.int64(progress.entry);
  writer.string(state);
  await engine.insert(table, [writer.view()]);
};

/**
 * What was written down, brought up to `progress` by the rows that have come since. Where it is not of this index, or its
 * senders do not have the lines that the progress says, all rows are read.
 * @throws IndexError
 */
export const recall = async (
  engine: Engine,
  progress: Progress,
  most: number = mostSenders,
): Promise<Remembered> => {
  const [row] = await engine.rows(
    'background',
    `SELECT entry, state FROM ${table.name} WHERE version = {version:String} AND revision <= ${progress.revision}
    ORDER BY revision DESC LIMIT 1`,
    { version: versionOf(progress) },
  );
  const stored = row === undefined ? null : parseStored(String(row['state']), progress);
  if (stored !== null) {
    const senders = new Senders(most);
    for (const sender of stored.senders) senders.put(sender);
    if (stored.others !== null) senders.putOthers(stored.others);
    senders.merge(await loadSenders(engine, most, `entry >= ${Number(row?.['entry'])}`));
    if (senders.lines() === progress.lines)
      return { senders, withdrawn: stored.withdrawn, lines: progress.lines };
  }
  const senders = await loadSenders(engine, most);
  return { senders, withdrawn: stored?.withdrawn ?? null, lines: -1 };
};

/** Only this program writes it, so its version is all that has to be looked at. */
const parseStored = (json: string, progress: Progress): Stored | null => {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' &&
    value !== null &&
    'amended' in value &&
    Number(value.amended) <= progress.amended
    ? (value as Stored)
    : null;
};
