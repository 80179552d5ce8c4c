import type { Io } from './io.ts';

/** An Io that keeps what is written, and shows each colour as `<green>…</green>`. */
export const testIo = (): Io & { written: { out: string; err: string } } => {
  const written = { out: '', err: '' };
  return {
    written,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    paint: (style, text) => `<${style}>${text}</${style}>`,
    width: 100,
    interactive: false,
  };
};
