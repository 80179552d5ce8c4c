import type { Watch } from '#wire/alert';

/** `90 s`, `5 min`, `2 h 10 min`, `3 d 4 h`: rounded to what matters at that length. */
export const lengthInWords = (seconds: number): string => {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(seconds / 3600);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
};

const two = (much: number, unit: string, little: number, smaller: string): string =>
  little === 0 ? `${much} ${unit}` : `${much} ${unit} ${little} ${smaller}`;

export const linesInWords = (count: number): string => `${count} ${count === 1 ? 'line' : 'lines'}`;

/** `118 lines an hour`, `3 lines a day`. */
export const rateInWords = (perHour: number): string =>
  perHour >= 1
    ? `${linesInWords(Math.round(perHour))} an hour`
    : `${linesInWords(Math.max(1, Math.round(perHour * 24)))} a day`;

const each = (by: readonly string[]): string => (by.length === 0 ? '' : ` for each ${by.join(' and ')}`);

/** What a rule waits for. */
export const watchInWords = (watch: Watch): string => {
  switch (watch.for) {
    case 'count':
      return `${linesInWords(watch.lines)} within ${lengthInWords(watch.within)}${each(watch.by)}`;
    case 'new':
      return `a new ${watch.field}${each(watch.by)}`;
    case 'silence':
      return `silence of ${/^[aeiou]/i.test(watch.by[0] ?? '') ? 'an' : 'a'} ${watch.by.join(' and ')}${watch.after === null ? '' : ` for ${lengthInWords(watch.after)}`}`;
  }
};
