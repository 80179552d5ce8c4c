import type { ByteString } from '../parse/byte-string.ts';

const windowBytes = 64 * 1024;

/**
 * Lines as text, each a slice of some that stand together: a text for each would cost a call for each, and one of a whole
 * batch is so large that V8 goes through all of its heap after every few of them.
 */
export class LineTexts {
  private readonly records: Buffer;
  private text: ByteString = '';
  private from = 0;
  private to = 0;

  constructor(records: Buffer) {
    this.records = records;
  }

  /** The bytes `records[start, end)`; lines are asked for in their order. */
  slice(start: number, end: number): ByteString {
    if (start < this.from || end > this.to) {
      this.from = start;
      this.to = Math.max(end, Math.min(start + windowBytes, this.records.length));
      this.text = this.records.toString('latin1', this.from, this.to);
    }
    return this.text.slice(start - this.from, end - this.from);
  }
}
