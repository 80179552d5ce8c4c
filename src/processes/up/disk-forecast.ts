/** One look at a file system: milliseconds since the epoch, and the bytes that an unprivileged process may still take. */
export type DiskSample = { at: number; free: number };

export type Forecast =
  /** At this rate there is no space in so many days. `over`: hours of the past by which that is judged. */
  | { result: 'fills'; days: number; perDay: number; over: number }
  /** It does not fill within the next two weeks as far as the past tells. */
  | { result: 'lasts' }
  /** Not looked at for long enough. */
  | { result: 'unknown' };

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Three looks back. Each takes the median of what went in all windows of one length, so that a burst, a restored backup
 * or a deleted file moves a few windows and not the result; and each is believed for about as long ahead as it looks
 * back: a rate of the last hours says nothing about next week.
 */
const looks = [
  { back: 14 * day, window: day, least: 2 * day, believedDays: 14 },
  { back: 2 * day, window: 6 * hour, least: 12 * hour, believedDays: 3 },
  { back: 3 * hour, window: 30 * minute, least: hour, believedDays: 1 },
] as const;

/** Fewer windows than this are no basis. */
const leastWindows = 6;

/**
 * When the file system will be full. Only what was seen counts: samples from the future (the clock was set back since)
 * are left out, and so are those from before the longest look back (or the clock was set forward).
 * @param samples in any order
 */
export const forecastOf = (samples: readonly DiskSample[], now: number): Forecast => {
  const seen = samples.filter(({ at }) => at <= now && at >= now - 15 * day).toSorted((a, b) => a.at - b.at);
  const latest = seen.at(-1);
  if (latest === undefined) return { result: 'unknown' };
  let known = false;
  let soonest: (Forecast & { result: 'fills' }) | null = null;
  for (const { back, window, least, believedDays } of looks) {
    const looked = seen.filter(({ at }) => at >= now - back - window);
    const perDay = ratePerDay(looked, window, least);
    if (perDay === null) continue;
    known = true;
    if (perDay <= 0) continue;
    const days = latest.free / perDay;
    if (days >= believedDays || (soonest !== null && soonest.days <= days)) continue;
    soonest = { result: 'fills', days, perDay, over: Math.round((now - (looked[0]?.at ?? now)) / hour) };
  }
  if (soonest !== null) return soonest;
  return known ? { result: 'lasts' } : { result: 'unknown' };
};

/** Bytes that go in a day; negative where more comes back. `null`: too little was seen. */
const ratePerDay = (samples: readonly DiskSample[], window: number, least: number): number | null => {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < least) return null;
  const rates: number[] = [];
  let before = 0;
  for (const sample of samples) {
    while (before + 1 < samples.length && (samples[before + 1]?.at ?? Infinity) <= sample.at - window)
      before += 1;
    const from = samples[before];
    const length = sample.at - (from?.at ?? sample.at);
    // Where nobody looked for long (a stop, a step of the clock) there is no window of about this length.
    if (from === undefined || length < window * 0.9 || length > window * 1.5) continue;
    rates.push(((from.free - sample.free) / length) * day);
  }
  if (rates.length < leastWindows) return null;
  const usual = median(rates);
  if (usual <= 0 || givenBack(samples, usual) < 2) return usual;
  // Space that came back once says nothing of the next time. Where it does so again and again, what counts is the net.
  return Math.min(usual, ((first.free - last.free) / (last.at - first.at)) * day);
};

/** How often more than half a day's growth came back from one sample to the next. */
const givenBack = (samples: readonly DiskSample[], perDay: number): number =>
  samples.filter(({ free }, i) => free - (samples[i - 1]?.free ?? free) > perDay / 2).length;

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? upper) + upper) / 2 : upper;
};

/** What is worth keeping: all of the last hours, and one an hour of the last two weeks. */
export const thinned = (samples: readonly DiskSample[], now: number): DiskSample[] => {
  const kept: DiskSample[] = [];
  for (const sample of samples.toSorted((a, b) => a.at - b.at)) {
    if (sample.at > now || sample.at < now - 15 * day) continue;
    const isRecent = sample.at >= now - 4 * hour;
    if (isRecent || sample.at - (kept.at(-1)?.at ?? -Infinity) >= hour) kept.push(sample);
  }
  return kept;
};

/** Days at which it is said, from the first time on. */
const levels = [14, 3, 1] as const;
const repeatAfter = day;

/** What was said last of a file system; `null`: nothing that still holds. */
export type Said = { level: number; at: number } | null;

/**
 * Whether a forecast is to be said: when it is worse than what was said, and each day for as long as it holds.
 * @returns what was said after this
 */
export const toSay = (forecast: Forecast, said: Said, now: number): { say: 'now' | 'no'; said: Said } => {
  const days = forecast.result === 'fills' ? forecast.days : Infinity;
  const level = levels.findLast((most) => days < most) ?? null;
  // A little more than the level is still the level: it must not be said again each time that the estimate sways.
  if (level === null) return { say: 'no', said: said !== null && days < said.level * 1.25 ? said : null };
  const isNews = said === null || level < said.level || now - said.at >= repeatAfter || now < said.at;
  return isNews ? { say: 'now', said: { level, at: now } } : { say: 'no', said };
};
