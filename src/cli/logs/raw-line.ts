import { printable } from '#base/printable';
import type { Io } from '../io.ts';

/** Exact bytes for files and pipes; a terminal would obey some of them. */
export const printRaw = (io: Io, raw: Buffer): void => {
  if (io.interactive) io.out(`${printable(raw)}\n`);
  else process.stdout.write(Buffer.concat([raw, Buffer.from('\n')]));
};
