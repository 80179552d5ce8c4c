import { printable } from '#base/printable';
import type { Io } from '../io.ts';

export type ImportProgress = {
  /** Lines that are durable, and bytes without compression that were read. */
  update(lines: number, bytes: number): void;
  end(): void;
};

const drawEveryMs = 200;
const sayEveryMs = 10_000;

/** How far the import of a file is, on stderr: one line that is drawn again on a terminal, else a line now and then. */
export const importProgress = (io: Io, path: string): ImportProgress => {
  const started = performance.now();
  let last = io.interactive ? 0 : started;
  let isDrawn = false;
  return {
    update(lines, bytes) {
      const now = performance.now();
      if (now - last < (io.interactive ? drawEveryMs : sayEveryMs)) return;
      last = now;
      const rate = Math.round((lines * 1000) / Math.max(1, now - started));
      const told = `${printable(path)}: ${lines} lines, ${(bytes / 1e6).toFixed(1)} MB, ${rate} lines/s`;
      io.err(io.interactive ? `\r\x1b[K${told.slice(0, Math.max(1, io.width - 1))}` : `${told}\n`);
      isDrawn = io.interactive;
    },
    end() {
      if (isDrawn) io.err('\r\x1b[K');
    },
  };
};
