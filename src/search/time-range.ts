import type { Micros } from '#base/clock';

/** From `since` to before `until`; `null`: no end there. */
export type TimeRange = { since: Micros | null; until: Micros | null };

/** Numbers only, so they may stand in the text of a statement. */
export const timeCondition = ({ since, until }: TimeRange): string =>
  [
    ...(since === null ? [] : [`time >= fromUnixTimestamp64Micro(toInt64(${since}))`]),
    ...(until === null ? [] : [`time < fromUnixTimestamp64Micro(toInt64(${until}))`]),
  ].join(' AND ') || 'true';

export const isWithin = ({ since, until }: TimeRange, time: number): boolean =>
  (since === null || time >= since) && (until === null || time < until);
