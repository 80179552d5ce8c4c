import type { Engine } from '../engine/engine.ts';
import { RowBinaryReader } from '../project/row-binary.ts';
import { lines as linesTable, tokenIndex } from '../schema.ts';
import { writeWords, type WordFile } from './word-file.ts';
import { longestGroup, type WordGroup } from './word-group.ts';

const bytesTogether = 16 * 1024 * 1024;

/** What is to be written of the engine's dictionary. */
export type Dictionary = {
  below: number;
  lacking: number;
  groups: (WordGroup & { bytes: number })[];
  /** A condition that holds for the parts that were looked at, and for what they are merged into. */
  ofParts: string;
};

const lengthSql = `toUInt8(least(length(token), ${longestGroup}))`;
const hexSql = "match(token, '^[0-9a-f]+$')";
/** As a file of words has it. */
const writtenSql = `if(length(token) < ${longestGroup} AND ${hexSql}, unhex(token), concat(token, '\n'))`;
const dictionarySql = `mergeTreeTextIndex(currentDatabase(), '${linesTable.name}', '${tokenIndex}')`;

/**
 * What is in the token index of parts that have entries from one on, up to which entry all lines are in it, and how many
 * lines are of later ones.
 * @param entry lines below are in the table
 * @throws IndexError
 */
export const dictionaryOf = async (
  engine: Pick<Engine, 'rows'>,
  entry: number,
  from: number,
): Promise<Dictionary> => {
  const parts = (
    await engine.rows(
      'background',
      `SELECT _part AS part, min(entry) AS first FROM ${linesTable.name} WHERE entry >= ${from} GROUP BY part`,
    )
  ).map((row) => ({ ...blocksOf(String(row['part'])), first: Number(row['first']) }));
  const ofParts = from === 0 ? 'true' : sinceBlock(parts);
  const counted = await engine.rows(
    'background',
    `SELECT part_name AS part, ${lengthSql} AS length, ${hexSql} AS hex, sum(length(token) + 1) AS bytes
    FROM ${dictionarySql} WHERE ${ofParts} GROUP BY part, length, hex`,
  );
  const indexed = [...new Set(counted.map((row) => String(row['part'])))].map(blocksOf);
  // Some have been merged since they were listed.
  const lacking = parts.filter(
    (part) =>
      !indexed.some((one) => one.partition === part.partition && one.from <= part.from && one.to >= part.to),
  );
  const groups = new Map<string, Dictionary['groups'][number]>();
  for (const row of counted) {
    const [length, hex, bytes] = [Number(row['length']), Number(row['hex']) === 1, Number(row['bytes'])];
    const known = groups.get(`${length} ${hex}`);
    if (known === undefined) groups.set(`${length} ${hex}`, { length, hex, bytes });
    else known.bytes += bytes;
  }
  const below = Math.min(entry, ...lacking.map(({ first }) => first));
  const [later] = await engine.rows(
    'background',
    `SELECT count() AS n FROM ${linesTable.name} WHERE entry >= ${below} AND entry < ${entry}`,
  );
  return {
    below,
    lacking: Number(later?.['n'] ?? 0),
    groups: [...groups.values()],
    ofParts,
  };
};

/** The inserts of which a part is merged, by its name: `202605_214_248_2` has the 214th to the 248th. */
type Blocks = { partition: string; from: number; to: number };

const blocksOf = (part: string): Blocks => {
  const [partition = '', from = '', to = ''] = part.split('_');
  return { partition, from: Number(from), to: Number(to) };
};

/** A condition for these parts and for what any of them is merged into: that ends with the same insert or a later one. */
const sinceBlock = (parts: readonly Blocks[]): string => {
  const since = new Map<string, number>();
  for (const { partition, to } of parts) since.set(partition, Math.min(since.get(partition) ?? Infinity, to));
  const name = `splitByChar('_', part_name)`;
  const conditions = [...since].map(
    ([partition, to]) => `(${name}[1] = '${partition}' AND toUInt64OrZero(${name}[3]) >= ${to})`,
  );
  return conditions.length === 0 ? 'false' : `(${conditions.join(' OR ')})`;
};

/**
 * The words of all parts, those that are in several of them as often: those of lines that came since are of no harm.
 * @returns `null` where they hold no more
 */
export const writeAll = async (
  engine: Pick<Engine, 'binary'>,
  { groups, ofParts }: Dictionary,
  path: string,
  holds: () => boolean,
): Promise<WordFile | null> => {
  const writer = await writeWords(path);
  try {
    for (const condition of together(groups)) {
      if (!holds()) break;
      const rows = new RowBinaryReader(
        await engine.binary(
          'background',
          `SELECT ${lengthSql} AS length, toUInt8(${hexSql}) AS hex, groupConcat(${writtenSql}) AS words
          FROM ${dictionarySql} WHERE ${ofParts} AND ${condition} GROUP BY length, hex`,
        ),
      );
      while (!rows.done) {
        const group = { length: rows.uint8(), hex: rows.uint8() === 1 };
        await writer.add(group, rows.bytes());
      }
    }
  } catch (error) {
    await writer.giveUp();
    throw error;
  }
  if (holds()) return writer.done();
  await writer.giveUp();
  return null;
};

/** Conditions for groups that are small enough together to be in memory, and for the pieces of larger ones. */
const together = (groups: Dictionary['groups']): string[] => {
  const conditions: string[] = [];
  let some: string[] = [];
  let bytes = 0;
  const close = (): void => {
    if (some.length > 0) conditions.push(`(${lengthSql}, ${hexSql}) IN (${some.join(', ')})`);
    some = [];
    bytes = 0;
  };
  for (const group of groups) {
    const key = `(${group.length}, ${group.hex ? 1 : 0})`;
    const pieces = Math.ceil(group.bytes / bytesTogether);
    if (pieces > 1)
      for (let piece = 0; piece < pieces; piece += 1)
        conditions.push(`(${lengthSql}, ${hexSql}) = ${key} AND cityHash64(token) % ${pieces} = ${piece}`);
    else {
      if (bytes + group.bytes > bytesTogether) close();
      some.push(key);
      bytes += group.bytes;
    }
  }
  close();
  return conditions;
};
