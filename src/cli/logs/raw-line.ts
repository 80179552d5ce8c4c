import { printable } from '#base/printable';
import type { Io } from '../io.ts';

/** Exact bytes for files and pipes, ended by a newline unless they end with one; a terminal would obey some of them. */
export const printRaw = (io: Io, raw: Buffer): void => {
  if (io.interactive) io.out(`${printable(raw)}\n`);
  else process.stdout.write(raw.at(-1) === 10 ? raw : Buffer.concat([raw, Buffer.from('\n')]));
};
