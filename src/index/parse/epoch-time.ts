import { micros } from '#base/clock';
import type { ByteString } from './byte-string.ts';
import { digits, type Scanned } from './timestamp.ts';

/**
 * Seconds since the epoch with or without a fraction (`1380664922.583851938`), or milliseconds (`1380664922583`), of the
 * years 2001 to 2286; ended by a space.
 */
export const scanEpoch = (text: ByteString, at: number): Scanned | null => {
  const seconds = digits(text, at, 10);
  if (seconds < 1_000_000_000) return null;
  const next = text.charCodeAt(at + 10);
  if (next === 32) return { time: micros(seconds * 1_000_000), end: at + 10, guessed: 0 };
  if (next === 46) {
    let end = at + 11;
    while (end < at + 20 && digits(text, end, 1) >= 0) end += 1;
    if (end === at + 11 || text.charCodeAt(end) !== 32) return null;
    const fraction = Number(text.slice(at + 11, Math.min(end, at + 17)).padEnd(6, '0'));
    return { time: micros(seconds * 1_000_000 + fraction), end, guessed: 0 };
  }
  const milliseconds = digits(text, at + 10, 3);
  if (milliseconds < 0 || text.charCodeAt(at + 13) !== 32) return null;
  return { time: micros((seconds * 1000 + milliseconds) * 1000), end: at + 13, guessed: 0 };
};
