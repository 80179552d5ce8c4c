/** Lets each peer do something so often, and all together so often. Time is in milliseconds and only goes forward. */
export type Rate = {
  /** Whether `peer` may now; if so, it is counted. */
  allows(peer: string, now: number): boolean;
};

export type RateLimit = {
  /** At once, after a rest. */
  burst: number;
  /** In the long run. */
  perSecond: number;
};

type Bucket = { left: number; at: number };

/** Peers that are remembered; who comes beyond that shares one bucket. */
const mostPeers = 4096;
const strangers = '*';

export const openRate = (each: RateLimit, all: RateLimit): Rate => {
  const buckets = new Map<string, Bucket>();
  const together: Bucket = { left: all.burst, at: 0 };
  let swept = -Infinity;

  const filled = (bucket: Bucket, { burst, perSecond }: RateLimit, now: number): Bucket => {
    bucket.left = Math.min(burst, bucket.left + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = Math.max(bucket.at, now);
    return bucket;
  };

  /** A full bucket says nothing, so it need not be remembered. */
  const forgetFull = (now: number): void => {
    if (now - swept < 1000) return;
    swept = now;
    for (const [peer, bucket] of buckets)
      if (filled(bucket, each, now).left >= each.burst) buckets.delete(peer);
  };

  const bucketOf = (peer: string, now: number): Bucket => {
    const known = buckets.get(peer);
    if (known !== undefined) return known;
    if (buckets.size >= mostPeers) forgetFull(now);
    const name = buckets.size >= mostPeers ? strangers : peer;
    const bucket = buckets.get(name) ?? { left: each.burst, at: now };
    buckets.set(name, bucket);
    return bucket;
  };

  return {
    allows(peer, now) {
      const own = filled(bucketOf(peer, now), each, now);
      if (own.left < 1 || filled(together, all, now).left < 1) return false;
      own.left -= 1;
      together.left -= 1;
      return true;
    },
  };
};
