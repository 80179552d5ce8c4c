import type { HttpLimits } from '#http';
import type { RateLimit } from './rate.ts';

/** What strangers may take of this process. */
export type PublishLimits = HttpLimits & {
  /** Of bodies under way, over all connections. */
  outgoingBytes: number;
  /** What may be handed in: by one peer, and by all together. */
  statements: { each: RateLimit; all: RateLimit };
};

export const defaultLimits: PublishLimits = {
  connections: 512,
  connectionsPerPeer: 64,
  requestsPerConnection: 10_000,
  pipelined: 16,
  headerBytes: 8192,
  headersMs: 3000,
  requestMs: 6000,
  idleMs: 15_000,
  answerMs: 30_000,
  outgoingBytes: 64 * 1024 * 1024,
  statements: { each: { burst: 30, perSecond: 2 }, all: { burst: 200, perSecond: 20 } },
};
