/**
 * The claimed time of a line tells which line of the corpus it is: line n lies in the n-th slot of 43,200 µs after the
 * start, so that two million lines make one day. So no line has to carry a number that real logs do not have.
 */
const slot = 43_200;
const start = Date.UTC(2026, 4, 12);
const day = 86_400_000_000;

/** `2026-05-12T00:00:00.012345+00:00` for line `n`. @param jitter µs within the slot, below 43,200 */
export const timeOfLine = (n: number, jitter: number): string => {
  const at = n * slot + jitter;
  const fraction = String(at % 1_000_000).padStart(6, '0');
  return `${secondsText(Math.floor(at / 1_000_000))}.${fraction}+00:00`;
};

let lastSecond = -1;
let lastText = '';
const secondsText = (second: number): string => {
  if (second === lastSecond) return lastText;
  lastSecond = second;
  lastText = new Date(start + second * 1000).toISOString().slice(0, 19);
  return lastText;
};

export const maxJitter = slot;

const days = new Map<number, number>();

/** Microseconds from the start of the corpus to the date `yyyymmdd`. */
const daysBefore = (date: number): number => {
  let known = days.get(date);
  if (known === undefined) {
    const at = Date.UTC(Math.floor(date / 10_000), (Math.floor(date / 100) % 100) - 1, date % 100);
    known = ((at - start) / 86_400_000) * day;
    days.set(date, known);
  }
  return known;
};

/**
 * The number of the line whose RFC 3339 timestamp begins at `at`; NaN where there is none, and any number for a
 * timestamp that is not of the corpus.
 */
export const lineOfTime = (bytes: Buffer, at: number): number => {
  const two = (offset: number): number => {
    const tens = (bytes[at + offset] ?? 0) - 48;
    const ones = (bytes[at + offset + 1] ?? 0) - 48;
    return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
  };
  const date = two(0) * 1_000_000 + two(2) * 10_000 + two(5) * 100 + two(8);
  const seconds = two(11) * 3600 + two(14) * 60 + two(17);
  const fraction = two(20) * 10_000 + two(22) * 100 + two(24);
  const within = seconds * 1_000_000 + fraction;
  return Number.isNaN(date + within) ? Number.NaN : Math.floor((daysBefore(date) + within) / slot);
};
