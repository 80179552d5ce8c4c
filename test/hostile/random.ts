/** Random numbers that come again with the same seed (mulberry32). */
export type Random = {
  /** A whole number from 0 to `below` − 1. */
  below(below: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
  bytes(length: number): Buffer;
};

export const random = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    pick: (from) => from[below(from.length)] ?? from[0],
    bytes(length) {
      const bytes = Buffer.allocUnsafe(length);
      for (let i = 0; i < length; i += 1) bytes[i] = next();
      return bytes;
    },
  };
};

/** One to four changes of the kind that breaks readers: bits, bytes, lengths, order, ends. */
export const mutate = (bytes: Buffer, { below, bytes: noise, pick }: Random): Buffer => {
  let made = Buffer.from(bytes);
  for (let left = 1 + below(4); left > 0; left -= 1) {
    const at = below(made.length + 1);
    const end = Math.min(made.length, at + 1 + below(16));
    const [before, cut, after] = [made.subarray(0, at), made.subarray(at, end), made.subarray(end)];
    const change = below(6);
    if (change === 0 && made.length > 0) {
      made = Buffer.from(made);
      const place = below(made.length);
      made[place] = (made[place] ?? 0) ^ (1 << below(8));
    } else if (change === 1) made = Buffer.concat([before, after]);
    else if (change === 2) made = Buffer.concat([before, cut, cut, after]);
    else if (change === 3) made = Buffer.concat([before, noise(1 + below(8)), cut, after]);
    else if (change === 4) made = Buffer.from(before);
    else
      made = Buffer.concat([
        before,
        Buffer.from(pick(['0', '9', ' ', '\n', '\0', '<', '999999999 '])),
        cut,
        after,
      ]);
  }
  return made;
};
