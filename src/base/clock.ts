/** Microseconds since 1970-01-01T00:00:00Z (UTC, no leap seconds). Exact in a double until the year 2255. */
export type Micros = number & { readonly __unit: 'µs since the epoch' };

export const micros = (value: number): Micros => value as Micros;

/** Time is passed in, so that tests can own it. */
export type Clock = {
  /** Wall-clock time. Follows steps of the system clock; may go backwards when the clock is set back. */
  now(): Micros;
  /** Milliseconds since an arbitrary start; never goes backwards. */
  elapsed(): number;
};

/**
 * The machine's clock. `Date.now()` has millisecond steps and `performance.now()` ignores clock steps, so the
 * finer one is anchored to the coarser one and re-anchored whenever they part by more than 2 ms.
 */
export const systemClock = (): Clock => {
  let anchor = Date.now() - performance.now();
  return {
    now() {
      const wall = Date.now();
      const fine = performance.now();
      if (Math.abs(fine + anchor - wall) > 2) anchor = wall - fine;
      return micros(Math.round((fine + anchor) * 1000));
    },
    elapsed: () => performance.now(),
  };
};
