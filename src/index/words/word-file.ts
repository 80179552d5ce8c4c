import { isUtf8 } from 'node:buffer';
import { open, unlink, type FileHandle } from 'node:fs/promises';

/** Words of about the same length; `hex`: of digits and a to f alone. */
export type WordGroup = { length: number; hex: boolean };

/** Words of this length or longer share a group. */
export const longestGroup = 65;

/** Where in a word a text stands; it may be all of it. */
export type Place = 'anywhere' | 'begin' | 'end';

/** Words in a file, each ended by LF, group by group, so that few of them have to be looked at. */
export type WordFile = {
  /**
   * @param text small letters and digits
   * @returns itself and the words that have it there, each once; `many`: more than `most`, or one that is not UTF-8
   */
  containing(text: string, place: Place, most: number): Promise<string[] | 'many'>;
  close(): Promise<void>;
};

export type WordWriter = {
  /** Words of one group, with LF between them. */
  add(group: WordGroup, words: Uint8Array): Promise<void>;
  done(): WordFile;
  giveUp(): Promise<void>;
};

const chunkBytes = 1024 * 1024;
const LF = 0x0a;
const lineEnd = Buffer.from('\n');

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
      const { bytesWritten } = await handle.writev([words, lineEnd], from);
      if (bytesWritten < words.length + 1) throw new Error(`${path} was cut short: is the disk full?`);
      end += bytesWritten;
      extents.push({ ...group, from, to: end });
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
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (const { from, to } of wanted) {
    for (let at = from; at < to;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(chunkBytes, to - at), at);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(LF) + 1;
      if (end === 0) return 'many';
      if (!collect(buffer.subarray(0, end), text, place, found) || found.size > most) return 'many';
      at += end;
    }
  }
  return [...found];
};

/** @param words whole ones @returns whether all that have the text there are UTF-8: others are no strings */
const collect = (words: Buffer, text: string, place: Place, found: Set<string>): boolean => {
  for (let at = words.indexOf(text, 0, 'latin1'); at >= 0;) {
    const begin = at === 0 ? 0 : words.lastIndexOf(LF, at - 1) + 1;
    const end = words.indexOf(LF, at);
    const isThere = place === 'anywhere' || (place === 'begin' ? at === begin : at + text.length === end);
    if (isThere) {
      const word = words.subarray(begin, end);
      if (!isUtf8(word)) return false;
      found.add(word.toString('utf8'));
    }
    // Within one word the text may stand at its end once more.
    at = words.indexOf(text, isThere ? end : at + 1, 'latin1');
  }
  return true;
};
