import { micros, type Micros } from '#base/clock';
import type { Senders } from './senders.ts';

/**
 * When which share of the lines came, as far as this process knows: to look for the newest or oldest in a time that has
 * but some of them. All that it says is about, and good for guesses alone.
 */
export type Arrivals = {
  /**
   * At the start, and after each insert.
   * @param heldUntil what was received up to then is in the index; 0: nobody knows
   * @param senders of the lines that came in
   */
  note(lines: number, heldUntil: Micros, senders: Pick<Senders, 'all' | 'others'>): void;
  /** How many lines are from before a time. @param first the time of the oldest */
  linesBefore(time: Micros, first: Micros): number;
  /** The time that so many lines are from before. */
  timeOf(lines: number, first: Micros): Micros;
};

type Mark = { time: Micros; lines: number };

/** With more, every other of them is forgotten: what is between two marks is taken for even. */
const mostMarks = 1024;

export const newArrivals = (): Arrivals => {
  let marks: Mark[] = [];

  /** Rising in both; what is before the first mark was there at the start. */
  const curve = (first: Micros): Mark[] => {
    const [begin] = marks;
    return begin === undefined || first >= begin.time ? marks : [{ time: first, lines: 0 }, ...marks];
  };

  return {
    note(lines, heldUntil, senders) {
      const last = marks.at(-1);
      const time = newestOf(senders, heldUntil);
      if (time === null) return;
      // Lines were taken away, or all of them are taken in anew.
      if (last !== undefined && lines < last.lines) marks = [{ time, lines }];
      else if (last !== undefined && time <= last.time) last.lines = lines;
      else marks.push({ time, lines });
      if (marks.length > mostMarks) marks = marks.filter((_, n) => n % 2 === 1);
    },
    linesBefore: (time, first) => between(curve(first), 'time', 'lines', time),
    timeOf: (lines, first) => micros(Math.floor(between(curve(first), 'lines', 'time', lines))),
  };
};

/** A clock that is ahead says nothing of when lines came, and old files may be taken in today. */
const newestOf = (senders: Pick<Senders, 'all' | 'others'>, heldUntil: Micros): Micros | null => {
  let newest = senders.others()?.last ?? -Infinity;
  for (const { last } of senders.all()) newest = Math.max(newest, last);
  return heldUntil === 0 || newest === -Infinity ? null : micros(Math.min(newest, heldUntil));
};

/** What `of` is where `by` is `value`, on the straight line between the two marks around it; beyond them that of the last. */
const between = (marks: readonly Mark[], by: keyof Mark, of: keyof Mark, value: number): number => {
  const at = marks.findIndex((mark) => mark[by] >= value);
  const [before, after] = [marks[at - 1], marks[at]];
  if (after === undefined) return marks.at(-1)?.[of] ?? 0;
  if (before === undefined) return after[of];
  return before[of] + ((after[of] - before[of]) * (value - before[by])) / (after[by] - before[by]);
};
