/** Times come as RFC 3339 UTC with six decimals; people read them on their own clock. */

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
});
const shortClock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const day = new Intl.DateTimeFormat('sv-SE', { year: 'numeric', month: '2-digit', day: '2-digit' });

/** Milliseconds since the epoch. */
export const milliseconds = (time: string): number => Date.parse(time);

/** `14:03:22.123`, local */
export const localClock = (time: string): string => clock.format(milliseconds(time));
/** `14:03:22`, local */
export const localSeconds = (at: number): string => shortClock.format(at);
/** `2026-05-12`, local */
export const localDay = (time: string | number): string =>
  day.format(typeof time === 'number' ? time : milliseconds(time));
/** `2026-05-12 14:03:22.123`, local */
export const localMoment = (time: string): string => `${localDay(time)} ${localClock(time)}`;
/** `2026-05-12 12:03:22.123456 UTC` */
export const utcMoment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, -1)} UTC`;

/** `850 ms`, `4.2 s`, `3 min`, `5 h`, `12 d` */
export const span = (ms: number): string => {
  const size = Math.abs(ms);
  if (size < 1_000) return `${Math.round(size)} ms`;
  if (size < 10_000) return `${(size / 1_000).toFixed(1)} s`;
  if (size < 120_000) return `${Math.round(size / 1_000)} s`;
  if (size < 7_200_000) return `${Math.round(size / 60_000)} min`;
  if (size < 172_800_000) return `${Math.round(size / 3_600_000)} h`;
  return `${Math.round(size / 86_400_000)} d`;
};

export const ago = (time: string, now: string): string => {
  const age = milliseconds(now) - milliseconds(time);
  return age < 1_000 ? 'just now' : `${span(age)} ago`;
};

export const count = (value: number): string => value.toLocaleString('en-GB');
