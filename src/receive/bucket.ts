import type { Clock } from '#base/clock';

/** Lets so many a second through (a token bucket). */
export type Bucket = { take(): boolean };

/** @param perSecond `Infinity` lets everything through; what is not taken is saved up for at most `burstSeconds` */
export const openBucket = (
  perSecond: number,
  burstSeconds: number,
  clock: Pick<Clock, 'elapsed'>,
): Bucket => {
  const most = Math.max(1, perSecond * burstSeconds);
  let left = most;
  let at = clock.elapsed();
  return {
    take() {
      if (perSecond === Infinity) return true;
      const now = clock.elapsed();
      left = Math.min(most, left + ((now - at) / 1000) * perSecond);
      at = now;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
};
