import { closeSync, openSync, readSync } from 'node:fs';

/** A file dealt out in pieces cut at line ends. */
export type Pieces = {
  /** Memory for one piece. */
  buffer(): Buffer;
  /** The next piece, as a view of `buffer`; empty when the file is at its end. */
  next(buffer: Buffer): Buffer;
  /** Bytes that were dealt out. */
  taken(): number;
  close(): void;
};

const pieceBytes = 512 * 1024;
const LF = 0x0a;

export const openPieces = (path: string): Pieces => {
  const file = openSync(path, 'r');
  let offset = 0;
  return {
    buffer: () => Buffer.allocUnsafeSlow(pieceBytes),
    next(buffer) {
      const read = readSync(file, buffer, 0, pieceBytes, offset);
      const cut = buffer.lastIndexOf(LF, read - 1) + 1;
      if (read > 0 && (cut === 0 || cut > read))
        throw new Error(`no line ends in ${read} bytes at ${offset} of ${path}`);
      offset += read === 0 ? 0 : cut;
      return buffer.subarray(0, read === 0 ? 0 : cut);
    },
    taken: () => offset,
    close: () => closeSync(file),
  };
};
