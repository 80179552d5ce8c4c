import type { Clock } from '#base/clock';

/** How often one may ask for a certificate. */
export type Attempts = {
  /** @returns whether it may now; then it counts */
  may(address: string): boolean;
};

const minuteMs = 60_000;
const perAddress = 30;
const overall = 300;

/**
 * At most so many in a minute, from one address and altogether: each costs the issuer signatures, and a line in the log
 * where it is refused.
 */
export const openAttempts = (clock: Clock): Attempts => {
  let since = clock.elapsed();
  let all = 0;
  const counts = new Map<string, number>();
  return {
    may(address) {
      if (clock.elapsed() - since >= minuteMs) {
        since = clock.elapsed();
        all = 0;
        counts.clear();
      }
      const own = counts.get(address) ?? 0;
      if (own >= perAddress || all >= overall) return false;
      counts.set(address, own + 1);
      all += 1;
      return true;
    },
  };
};
