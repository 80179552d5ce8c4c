import type { Engine } from './engine/engine.ts';
import { toBytes, type ByteString } from './parse/byte-string.ts';

/** Bytes of `content` in the table. */
export const contentSize = 8;

/**
 * What came under which number: the `content` of each line, of streams that number. What came under a key (`dedup`) is
 * kept as if that were a stream, under number 0, which no line has.
 */
export class Contents {
  private readonly byNumber = new Map<string, ByteString>();

  add(stream: ByteString, sequence: number, content: ByteString): void {
    const key = keyOf(stream, sequence);
    this.byNumber.set(key, (this.byNumber.get(key) ?? '') + content);
  }

  /** Whether anything came under this number. */
  knows(stream: ByteString, sequence: number): boolean {
    return this.byNumber.has(keyOf(stream, sequence));
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

/** The engine reads statements of up to 256 KiB. */
const keysPerStatement = 4000;

/** What the index has under these numbers and keys. @throws IndexError */
export const contentsOf = async (
  engine: Engine,
  numbers: Numbers,
  keys: ReadonlySet<ByteString>,
): Promise<Contents> => {
  const contents = new Contents();
  const all = [...keys];
  for (let at = 0; at < all.length; at += keysPerStatement) {
    const rows = await engine.rows(
      'ingest',
      `SELECT DISTINCT hex(dedup) AS key, hex(content) AS content FROM lines
      WHERE dedup IN (${all
        .slice(at, at + keysPerStatement)
        .map(inSql)
        .join(', ')})`,
    );
    for (const row of rows) contents.add(fromHex(row['key']), 0, fromHex(row['content']));
  }
  for (const [stream, sequences] of numbers) {
    const name = toBytes(stream).toString('hex');
    for (let at = 0; at < sequences.length; at += numbersPerStatement) {
      const rows = await engine.rows(
        'ingest',
        `SELECT sequence, hex(content) AS content FROM lines
        WHERE stream = unhex('${name}') AND sequence IN (${sequences.slice(at, at + numbersPerStatement).join(', ')})`,
      );
      for (const row of rows) contents.add(stream, Number(row['sequence']), fromHex(row['content']));
    }
  }
  return contents;
};

/** A key as SQL writes it. */
export const inSql = (key: ByteString): string => `unhex('${toBytes(key).toString('hex')}')`;

const fromHex = (hex: unknown): ByteString => Buffer.from(String(hex), 'hex').toString('latin1');
