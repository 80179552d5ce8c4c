import { open, unlink, type FileHandle } from 'node:fs/promises';
import { collect, longestGroup, wholeWords, type Place, type WordGroup } from './word-group.ts';

/** Words in a file, group by group, so that few of them have to be looked at. */
export type WordFile = {
  /**
   * @param text small letters and digits
   * @returns itself and the words that have it there, each once; `many`: more than `most`, or one that is not UTF-8
   */
  containing(text: string, place: Place, most: number): Promise<string[] | 'many'>;
  close(): Promise<void>;
};

export type WordWriter = {
  /** Words of one group, as it has them. */
  add(group: WordGroup, words: Uint8Array): Promise<void>;
  done(): WordFile;
  giveUp(): Promise<void>;
};

const chunkBytes = 1024 * 1024;

type Extent = WordGroup & { from: number; to: number };

/** @param path replaced if it is there; deleted when the file is closed */
export const writeWords = async (path: string): Promise<WordWriter> => {
  await unlink(path).catch(() => undefined);
  const handle = await open(path, 'wx+', 0o600);
  const extents: Extent[] = [];
  let end = 0;
  const close = async (): Promise<void> => {
    await handle.close();
    await unlink(path).catch(() => undefined);
  };
  return {
    async add(group, words) {
      const from = end;
      const { bytesWritten } = await handle.write(words, 0, words.length, from);
      if (bytesWritten < words.length) throw new Error(`${path} was cut short: is the disk full?`);
      end += bytesWritten;
      if (end > from) extents.push({ ...group, from, to: end });
    },
    done: () => ({ containing: (text, place, most) => lookUp(handle, extents, text, place, most), close }),
    giveUp: close,
  };
};

const lookUp = async (
  handle: FileHandle,
  extents: readonly Extent[],
  text: string,
  place: Place,
  most: number,
): Promise<string[] | 'many'> => {
  // Of its own length there is no other word that contains it.
  const found = new Set<string>([text]);
  const isHex = /^[0-9a-f]+$/.test(text);
  const wanted = extents.filter(
    ({ length, hex }) => (length > text.length || length === longestGroup) && (isHex || !hex),
  );
  for await (const { group, words } of piecesOf(handle, wanted)) {
    const isWhole = words.length > 0;
    if (!isWhole || !collect(group, words, text, place, found) || found.size > most) return 'many';
  }
  return [...found];
};

type Piece = { group: WordGroup; words: Buffer };

/** Whole words; none where one is longer than a piece. The next piece is read while one is looked at. */
const piecesOf = async function* (
  handle: FileHandle,
  extents: readonly Extent[],
): AsyncGenerator<Piece, void, undefined> {
  const buffers = [takeBuffer(), takeBuffer()];
  const read = async (
    n: number,
    at: number,
    turn: number,
  ): Promise<(Piece & { end: number; n: number }) | null> => {
    const group = extents[n];
    const buffer = buffers[turn % 2];
    if (group === undefined || buffer === undefined) return null;
    const { bytesRead } = await handle.read(buffer, 0, Math.min(chunkBytes, group.to - at), at);
    const words = buffer.subarray(0, wholeWords(group, buffer.subarray(0, bytesRead)));
    return { group, words, n, end: at + words.length };
  };
  let next = read(0, extents[0]?.from ?? 0, 0);
  try {
    for (let turn = 1; ; turn += 1) {
      const piece = await next;
      if (piece === null) return;
      const { n, end, group } = piece;
      const isLast = end >= (extents[n]?.to ?? 0);
      next = read(isLast ? n + 1 : n, isLast ? (extents[n + 1]?.from ?? 0) : end, turn);
      yield { group, words: piece.words };
    }
  } finally {
    // What is read ahead is not left to a file that may be closed.
    await next.catch(() => undefined);
    giveBack(buffers);
  }
};

/** New ones for each look would have V8 collect garbage every third search. */
const spare: Buffer[] = [];
const mostSpare = 4;

const takeBuffer = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);

const giveBack = (buffers: readonly Buffer[]): void => {
  spare.push(...buffers.slice(0, mostSpare - spare.length));
};
