import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Engine } from '../engine/engine.ts';
import { dictionaryOf, writeAll } from './dictionary.ts';
import type { WordFile } from './word-file.ts';
import type { Place } from './word-group.ts';

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
/**
 * Made again when lines are missing from it that are this share of those in it. Until then those that came since have a
 * list of their own, which is sooner made.
 */
const growth = 1 / 8;
/** So many times as long as one takes it is not made again. */
const restFactor = 20;
/** Nor after a failure: a disk that is full is so for a while. */
const restAfterFailureMs = 60_000;
const mostListed = 200;

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
  /** Words of all lines up to an entry, and those of lines that came since. */
  let lists: { all: List; late: List | null; words: Words } | null = null;
  let making: Promise<void> | null = null;
  /** Another one after each `forget`. */
  let generation = Symbol('rows');
  let files = 0;
  const restUntil = { all: 0, late: 0 };
  const failed = { all: false, late: false };
  let said = '';
  rmSync(path, { recursive: true, force: true });

  const sayOnce = (level: 'info' | 'warning', text: string): void => {
    if (text !== said) log(level, text);
    said = text;
  };

  const make = async (which: Which, entry: number, lines: number): Promise<void> => {
    const mine = generation;
    const holds = (): boolean => generation === mine;
    const began = now();
    const rest = lines < worthIt ? 1 : restFactor;
    failed[which] = false;
    try {
      const dictionary = await dictionaryOf(engine, entry, which === 'late' ? (lists?.all.below ?? 0) : 0);
      const { below, lacking } = dictionary;
      const known = lists?.words.below ?? 0;
      if (below < known || below <= (which === 'late' ? known : (lists?.all.below ?? 0))) {
        if (lacking * 2 > lines)
          sayOnce(
            'info',
            `words of entries from ${below} on are looked up in the engine: it has yet to index some`,
          );
        return;
      }
      mkdirSync(path, { recursive: true, mode: 0o700 });
      files += 1;
      const file = await writeAll(engine, dictionary, join(path, String(files)), holds);
      if (file === null) return;
      const containing = remembering((text, place) => file.containing(text, place, mostListed));
      const made: List = { file, below, covered: lines - lacking, containing };
      const before = lists;
      const [all, late] = which === 'late' && before !== null ? [before.all, made] : [made, null];
      lists = { all, late, words: { below, holds, containing: containingIn(all, late) } };
      if (which === 'all') said = '';
      await closeAll([before?.late, which === 'all' ? before?.all : null]);
    } catch (error) {
      failed[which] = true;
      sayOnce(
        'warning',
        `words are looked up in the engine, as their list was not made: ${messageOf(error)}`,
      );
    } finally {
      restUntil[which] = now() + Math.max(rest * (now() - began), failed[which] ? restAfterFailureMs : 0);
    }
  };

  /** What is to be made now, if anything. */
  const due = (lines: number): Which | null => {
    if (lines < least || making !== null) return null;
    if (lists === null) return now() >= restUntil.all ? 'all' : null;
    const { all, late } = lists;
    const isGrown = lines - all.covered >= Math.max(least, all.covered * growth);
    if (isGrown && now() >= restUntil.all) return 'all';
    return lines - (late ?? all).covered >= least && now() >= restUntil.late ? 'late' : null;
  };

  return {
    current: () => lists?.words ?? null,
    refresh(entry, lines) {
      const which = due(lines);
      if (which !== null) making = make(which, entry, lines).finally(() => (making = null));
    },
    async forget() {
      generation = Symbol('rows');
      await making;
      const before = lists;
      lists = null;
      for (const which of ['all', 'late'] as const) if (!failed[which]) restUntil[which] = 0;
      await closeAll([before?.all, before?.late]);
    },
  };
};

type Which = 'all' | 'late';

type List = {
  file: WordFile;
  below: number;
  /** Lines, with those of the list before it. */
  covered: number;
  containing: Words['containing'];
};

const closeAll = async (lists: readonly (List | null | undefined)[]): Promise<void> => {
  await Promise.allSettled(lists.map((list) => list?.file.close()));
};

const containingIn = (all: List, late: List | null): Words['containing'] =>
  late === null
    ? all.containing
    : async (text, place) => {
        const [found, more] = await Promise.all([all.containing(text, place), late.containing(text, place)]);
        if (found === 'many' || more === 'many') return 'many';
        const words = new Set([...found, ...more]);
        return words.size > mostListed ? 'many' : [...words];
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
