import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Engine } from '../engine/engine.ts';
import { RowBinaryReader } from '../project/row-binary.ts';
import { lines as linesTable, tokenIndex } from '../schema.ts';
import { writeWords, type WordFile } from './word-file.ts';
import { longestGroup, type Place, type WordGroup } from './word-group.ts';

/**
 * All words of the token index up to an entry. To find which of them contain a text takes a look at those that are
 * longer, a few milliseconds; the engine unpacks its whole dictionary for it.
 */
export type Words = {
  /** They are all words of the lines of entries below this, and the engine has these lines in its token index. */
  below: number;
  /**
   * @param text small letters and digits, ASCII
   * @returns itself among them; `many`: more than a statement should list, or one that is not UTF-8
   */
  containing(text: string, place: Place): Promise<readonly string[] | 'many'>;
  /** Whether rows below `below` are still those that it was made of. What was asked with its help is true if so. */
  holds(): boolean;
};

export type WordList = {
  /** `null` as long as there are none. */
  current(): Words | null;
  /** Makes the list behind, if that is due. Not while rows are being rewritten. @param entry lines below are in the table */
  refresh(entry: number, lines: number): void;
  /** Before rows are rewritten or deleted: the list is deleted from the disk too, as it may have what is to go. */
  forget(): Promise<void>;
};

/** With fewer lines the engine is as fast without. */
const worthIt = 200_000;
/** Made again when lines are missing from it that are this share of those in it. */
const growth = 1 / 8;
/** So many times as long as it takes it is not made again. */
const restFactor = 20;
/** Nor after a failure: a disk that is full is so for a while. */
const restAfterFailureMs = 60_000;
const mostListed = 200;
const bytesTogether = 16 * 1024 * 1024;

/**
 * @param least lines from which on it is made
 * @param now milliseconds
 */
export const openWordList = (
  engine: Pick<Engine, 'rows' | 'binary'>,
  directory: string,
  log: OwnLog,
  least: number = worthIt,
  now: () => number = () => performance.now(),
): WordList => {
  const path = join(directory, 'words');
  let current: { words: Words; file: WordFile; covered: number } | null = null;
  let making: Promise<void> | null = null;
  /** Another one after each `forget`. */
  let generation = Symbol('rows');
  let files = 0;
  let restUntil = 0;
  let said = '';
  let failed = false;
  rmSync(path, { recursive: true, force: true });

  const sayOnce = (level: 'info' | 'warning', text: string): void => {
    if (text !== said) log(level, text);
    said = text;
  };

  const make = async (entry: number, lines: number): Promise<void> => {
    const mine = generation;
    const holds = (): boolean => generation === mine;
    const began = now();
    const rest = lines < worthIt ? 1 : restFactor;
    failed = false;
    try {
      const { below, lacking, groups } = await dictionaryOf(engine, entry);
      if (below <= (current?.words.below ?? 0)) {
        if (lacking * 2 > lines)
          sayOnce(
            'info',
            `words of entries from ${below} on are looked up in the engine: it has yet to index some`,
          );
        return;
      }
      mkdirSync(path, { recursive: true, mode: 0o700 });
      files += 1;
      const file = await writeAll(engine, groups, join(path, String(files)), holds);
      if (file === null) return;
      const containing = remembering((text, place) => file.containing(text, place, mostListed));
      const before = current;
      current = { words: { below, containing, holds }, file, covered: lines - lacking };
      said = '';
      await before?.file.close();
    } catch (error) {
      failed = true;
      sayOnce(
        'warning',
        `words are looked up in the engine, as their list was not made: ${messageOf(error)}`,
      );
    } finally {
      restUntil = now() + Math.max(rest * (now() - began), failed ? restAfterFailureMs : 0);
    }
  };

  return {
    current: () => current?.words ?? null,
    refresh(entry, lines) {
      if (lines < least || making !== null || now() < restUntil) return;
      const covered = current?.covered ?? 0;
      if (current !== null && lines - covered < Math.max(least, covered * growth)) return;
      making = make(entry, lines).finally(() => (making = null));
    },
    async forget() {
      generation = Symbol('rows');
      await making;
      const before = current;
      current = null;
      if (!failed) restUntil = 0;
      await before?.file.close();
    },
  };
};

/** Most searches have a word that an earlier one had, and one is often shown, counted and drawn. */
const mostRemembered = 256;
/** Characters of one answer: words may be long, and strangers choose them. */
const longestRemembered = 16_384;

const remembering = (look: Words['containing']): Words['containing'] => {
  const known = new Map<string, readonly string[] | 'many'>();
  return async (text, place) => {
    const key = `${place} ${text}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = await look(text, place).catch(() => null);
    if (found === null) return 'many';
    if (found !== 'many' && found.join('').length > longestRemembered) return found;
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size >= mostRemembered) known.delete(oldest);
    known.set(key, found);
    return found;
  };
};

type Dictionary = { below: number; lacking: number; groups: (WordGroup & { bytes: number })[] };

const lengthSql = `toUInt8(least(length(token), ${longestGroup}))`;
const hexSql = "match(token, '^[0-9a-f]+$')";
/** As a file of words has it. */
const writtenSql = `if(length(token) < ${longestGroup} AND ${hexSql}, unhex(token), concat(token, '\n'))`;
const dictionarySql = `mergeTreeTextIndex(currentDatabase(), '${linesTable.name}', '${tokenIndex}')`;

/**
 * What is in the token index, up to which entry all lines are in it, and how many lines are of later ones.
 * @param entry lines below are in the table
 * @throws IndexError
 */
const dictionaryOf = async (engine: Pick<Engine, 'rows'>, entry: number): Promise<Dictionary> => {
  const counted = await engine.rows(
    'background',
    `SELECT part_name AS part, ${lengthSql} AS length, ${hexSql} AS hex, sum(length(token) + 1) AS bytes
    FROM ${dictionarySql} GROUP BY part, length, hex`,
  );
  const indexed = new Set(counted.map((row) => String(row['part'])));
  const parts = await engine.rows(
    'background',
    `SELECT _part AS part, min(entry) AS first FROM ${linesTable.name} GROUP BY part`,
  );
  const lacking = parts.filter((row) => !indexed.has(String(row['part'])));
  const groups = new Map<string, Dictionary['groups'][number]>();
  for (const row of counted) {
    const [length, hex, bytes] = [Number(row['length']), Number(row['hex']) === 1, Number(row['bytes'])];
    const known = groups.get(`${length} ${hex}`);
    if (known === undefined) groups.set(`${length} ${hex}`, { length, hex, bytes });
    else known.bytes += bytes;
  }
  const below = Math.min(entry, ...lacking.map((row) => Number(row['first'])));
  const [later] = await engine.rows(
    'background',
    `SELECT count() AS n FROM ${linesTable.name} WHERE entry >= ${below} AND entry < ${entry}`,
  );
  return {
    below,
    lacking: Number(later?.['n'] ?? 0),
    groups: [...groups.values()],
  };
};

/**
 * The words of all parts, those that are in several of them as often: those of lines that came since are of no harm.
 * @returns `null` where they hold no more
 */
const writeAll = async (
  engine: Pick<Engine, 'binary'>,
  groups: Dictionary['groups'],
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
          FROM ${dictionarySql} WHERE ${condition} GROUP BY length, hex`,
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
