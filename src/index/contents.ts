import type { Engine } from './engine/engine.ts';
import { toBytes, type ByteString } from './parse/byte-string.ts';

const contentSize = 8;

/** What came under which number: the `content` of each line, of streams that number. */
export class Contents {
  private readonly byNumber = new Map<string, ByteString>();

  add(stream: ByteString, sequence: number, content: ByteString): void {
    const key = keyOf(stream, sequence);
    this.byNumber.set(key, (this.byNumber.get(key) ?? '') + content);
  }

  has(stream: ByteString, sequence: number, content: ByteString): boolean {
    const known = this.byNumber.get(keyOf(stream, sequence)) ?? '';
    for (let at = 0; at < known.length; at += contentSize) if (known.startsWith(content, at)) return true;
    return false;
  }
}

const keyOf = (stream: ByteString, sequence: number): string => `${sequence} ${stream}`;

/** Numbers by stream. */
export type Numbers = Map<ByteString, number[]>;

/** The engine reads statements of up to 256 KiB. */
const numbersPerStatement = 10_000;

/** What the index has under these numbers. @throws IndexError */
export const contentsOf = async (engine: Engine, numbers: Numbers): Promise<Contents> => {
  const contents = new Contents();
  for (const [stream, sequences] of numbers) {
    const name = toBytes(stream).toString('hex');
    for (let at = 0; at < sequences.length; at += numbersPerStatement) {
      const rows = await engine.rows(
        'ingest',
        `SELECT sequence, hex(content) AS content FROM lines
        WHERE stream = unhex('${name}') AND sequence IN (${sequences.slice(at, at + numbersPerStatement).join(', ')})`,
      );
      for (const row of rows)
        contents.add(
          stream,
          Number(row['sequence']),
          Buffer.from(String(row['content']), 'hex').toString('latin1'),
        );
    }
  }
  return contents;
};
