import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import { openCosignature, parseNote, type WitnessVkey } from '#vault/checkpoint';
import type { Durable } from '#vault/durable';
import { WitnessError } from './errors.ts';
import { originHash, type WitnessLayout } from './layout.ts';
import { parseHead, type TreeHead } from './submission.ts';

/** The last checkpoint of a log that this witness cosigned. */
export type Seen = {
  head: TreeHead;
  /** A signed note: the log's text, the log's signatures, this witness's cosignature. */
  note: Buffer;
  /** Seconds since 1970, of the cosignature. */
  time: number;
};

/**
 * What is remembered of one log. `unseen` was written on purpose, when the log was made known; a file that is missing
 * is never taken for it. `damaged` stops the log: to begin again at 0 would let it show another history.
 */
export type Remembered =
  { is: 'seen'; seen: Seen } | { is: 'unseen' } | { is: 'damaged'; why: string } | { is: 'absent' };

const unseenLine = (origin: string): string => `holdfast.unseen/v1 ${origin}\n`;

const memoryPath = ({ memory }: WitnessLayout, origin: string): string => join(memory, originHash(origin));

/**
 * Reads what is remembered of a log. Believed only with this witness's own cosignature on it, which covers every byte
 * that matters, so a flipped bit shows.
 */
export const readMemory = (layout: WitnessLayout, origin: string, vkey: WitnessVkey): Remembered => {
  const path = memoryPath(layout, origin);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { is: 'absent' };
    return { is: 'damaged', why: messageOf(error) };
  }
  if (bytes.toString() === unseenLine(origin)) return { is: 'unseen' };
  try {
    const head = parseHead(parseNote(bytes).text);
    if (head.origin !== origin) throw new Error(`it is of ${head.origin}`);
    return { is: 'seen', seen: { head, note: bytes, time: openCosignature(bytes, vkey) } };
  } catch (error) {
    return { is: 'damaged', why: `${path}: ${messageOf(error)}` };
  }
};

/**
 * Durable when it returns, in the order of system calls of `#vault/durable`'s `write`: open the directory; open, write
 * and fsync a file in tmp/; rename; fsync of the directory. A crash leaves the old note or the new one, whole.
 * @throws VaultError `no-space` (the old one is still there), `fsync-failed` (the process must end); system errors
 */
export const writeMemory = (layout: WitnessLayout, durable: Durable, { head, note }: Seen): Promise<void> =>
  durable.write(memoryPath(layout, head.origin), note, 0o644);

/**
 * Makes a log known: from now on its memory is expected, and its loss is an error.
 * @returns `begun`, or `known` where it was already; then nothing is changed
 * @throws WitnessError `memory-damaged`
 */
export const beginMemory = async (
  layout: WitnessLayout,
  durable: Durable,
  origin: string,
  vkey: WitnessVkey,
): Promise<'begun' | 'known'> => {
  const found = readMemory(layout, origin, vkey);
  if (found.is === 'damaged') throw damaged(origin, found.why);
  if (found.is !== 'absent') return 'known';
  await durable.create(memoryPath(layout, origin), Buffer.from(unseenLine(origin)));
  return 'begun';
};

export const damaged = (origin: string, why: string): WitnessError =>
  new WitnessError(
    'memory-damaged',
    `what is remembered of ${origin} is damaged: ${why}. Restore it from a copy, or retire this witness's key`,
  );
