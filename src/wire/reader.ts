import { symlinkSync } from 'node:fs';
import { z } from 'zod';

/**
 * How a reader on `run/search.sock` says who it is. The kernel tells Node nothing about who is at the other end of a unix
 * socket, so the reader makes something that only its user can make: a symbolic link, whose owner the indexer then reads.
 *
 *     POST /reader   → ReaderChallenge
 *     reader         makes a symbolic link at `path` that points to `text`, within ten seconds
 *     every read     carries `text` in the header `holdfast-reader`
 *
 * The indexer looks at the link once, removes it, and from then on `text` stands for that uid until the indexer ends.
 */
export const readerChallenge = z.strictObject({
  /** Absolute. Its name is random, in a directory that nobody but the indexer may list. */
  path: z.string(),
  /** 192 random bits, base64url: points nowhere. */
  text: z.string(),
});
export type ReaderChallenge = z.infer<typeof readerChallenge>;

/** A symbolic link is made whole or not at all, cannot be changed, and takes no block of a disk that is full. */
export const answerChallenge = ({ path, text }: ReaderChallenge): void => symlinkSync(text, path);

export const readerHeader = 'holdfast-reader';

/**
 * For whom the reader reads, as it says itself: JSON in the header `holdfast-for`. The console names the session and where
 * it comes from, the command line the user who logged in (also behind sudo).
 */
export const onBehalfHeader = 'holdfast-for';
export const onBehalf = z.record(z.string().max(32), z.string().max(256));
export type OnBehalf = z.infer<typeof onBehalf>;

/** One read, as it stands in the log: `{"kind":"read",…}`. */
export type ReadRecord = {
  /** Of the process that read: proven, see above. */
  uid: number;
  /** What that process says for whom it read; absent where it says nothing. */
  for?: OnBehalf;
  /** `search`, `tail`, `sql`, …: the route. */
  read: string;
  /** What was asked for. Long text is cut at 4,096 characters. */
  asked: unknown;
  /** Lines, or rows, that went out. */
  lines: number;
  ms: number;
  /**
   * `answered`; `refused`: a mistake or a limit; `reader left`: before its end, as a tail always ends; `broke off`: it
   * failed in the middle; `begun`: it takes longer than a moment, and another record with the same `reading` says how it
   * ended.
   */
  outcome: 'answered' | 'refused' | 'reader left' | 'broke off' | 'begun';
  /** Tells which records are of one read, where there are two. */
  reading?: string;
};
