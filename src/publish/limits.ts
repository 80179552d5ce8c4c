import type { RateLimit } from './rate.ts';

/** What strangers may take of this process. Times in milliseconds. */
export type PublishLimits = {
  /** At once, on each of the two servers. */
  connections: number;
  /** At once, by one peer that is not this machine itself. */
  connectionsPerPeer: number;
  requestsPerConnection: number;
  /** Requests of one connection that are not answered in full yet; who sends more ahead is cut off. */
  pipelined: number;
  headerBytes: number;
  headersMs: number;
  /** For the whole request, its body included. */
  requestMs: number;
  /** Between two requests of a connection. */
  idleMs: number;
  /** Until the whole answer was taken. */
  answerMs: number;
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
