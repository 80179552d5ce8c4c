import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type BigIntStats,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { systemCode } from '#base/errors';
import type { ReaderChallenge } from '#wire/reader';
import { SearchError } from './errors.ts';

/** Who reads: told by a link that the reader makes (src/wire/reader.ts). */
export type Readers = {
  challenge(): ReaderChallenge;
  /**
   * The uid that `text` stands for.
   * @throws SearchError `unproven`
   */
  uidOf(text: string | undefined): number;
};

const withinMs = 10_000;
/** Challenges that wait, and readers that are known: more than a machine has. The oldest is forgotten. */
const mostKept = 1024;

const remedy =
  'ask POST /reader for a challenge and make the link that it names (src/wire/reader.ts); every read is recorded with who read';

/**
 * @param directory made if missing, and emptied. Mode 1730: who may connect may make a link in it, and nobody may list it,
 *   nor remove or replace what another made.
 * @param random base64url of at least 128 random bits
 */
export const openReaders = (directory: string, clock: Clock, random: () => string): Readers => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o1730);
  // Links of readers that an indexer before this one did not look at any more.
  for (const name of readdirSync(directory)) remove(join(directory, name));
  const waiting = new Map<string, { path: string; until: number }>();
  const known = new Map<string, number>();

  const forgetLate = (): void => {
    for (const [text, { path, until }] of waiting) {
      if (clock.elapsed() < until && waiting.size < mostKept) return;
      waiting.delete(text);
      remove(path);
    }
  };

  return {
    challenge() {
      forgetLate();
      const [path, text] = [join(directory, random()), random()];
      waiting.set(text, { path, until: clock.elapsed() + withinMs });
      return { path, text };
    },
    uidOf(text) {
      if (text === undefined)
        throw new SearchError('unproven', `this read does not say who reads: ${remedy}`);
      const uid = known.get(text);
      if (uid !== undefined) return uid;
      const asked = waiting.get(text);
      waiting.delete(text);
      if (asked === undefined || clock.elapsed() >= asked.until) {
        if (asked !== undefined) remove(asked.path);
        throw new SearchError('unproven', `this reader is not known, or no more: ${remedy}`);
      }
      const owner = ownerOf(asked.path, text);
      remove(asked.path);
      if (owner === null)
        throw new SearchError('unproven', `the link that was asked for is not at ${asked.path}: ${remedy}`);
      const oldest = known.keys().next().value;
      if (known.size >= mostKept && oldest !== undefined) known.delete(oldest);
      known.set(text, owner);
      return owner;
    },
  };
};

/**
 * Owner of a symbolic link that points to `text`. Whose link it is and where it points cannot change, and in a sticky
 * directory nobody but its owner can put another one there; that it is the same before and after is looked at all the same.
 */
const ownerOf = (path: string, text: string): number | null => {
  try {
    const before = lstatSync(path, { bigint: true });
    if (!before.isSymbolicLink() || before.nlink !== 1n || readlinkSync(path) !== text) return null;
    return sameLink(before, lstatSync(path, { bigint: true })) ? Number(before.uid) : null;
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return null;
  }
};

const sameLink = (a: BigIntStats, b: BigIntStats): boolean =>
  a.dev === b.dev && a.ino === b.ino && a.ctimeNs === b.ctimeNs && a.uid === b.uid;

/** What somebody put there that is no link stays, if it is a directory with something in it. */
const remove = (path: string): void => {
  try {
    rmSync(path, { force: true, recursive: false });
  } catch (error) {
    if (systemCode(error) === null) throw error;
  }
};
