import { GrowingBytes } from '../project/native/bytes.ts';

/** A row of the table of progress, in its format. */
export const progressRow = (revision: number): Buffer => {
  const writer = new GrowingBytes();
  writer.int64(revision);
  writer.int64(revision * 10);
  writer.int64(0);
  writer.string('{}');
  return Buffer.from(writer.view());
};
