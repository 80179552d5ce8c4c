import { createHash } from 'node:crypto';
import type { Clock } from '#base/clock';

/**
 * Tells which bodies may have been stored before. HTTP has no number of its own: a client whose answer was lost sends
 * the same body again, and nothing but the body says so.
 */
export type Repeats = {
  digest(body: readonly Buffer[]): string;
  /** @param sender name of its certificate, else its address */
  isPossible(sender: string, digest: string): boolean;
  /** The body was stored, and the answer did not get through. */
  unanswered(sender: string, digest: string): void;
};

const mostSenders = 1024;
const mostBodies = 16;
/** What was unanswered before the start is not remembered: a sender's first bodies after it may be such. */
const suspectedBodies = 4;
const suspectedForMs = 10 * 60 * 1000;

type Known = { suspected: number; bodies: Set<string> };

/** @param began `new`: this receiver has no predecessor whose answers may have been lost */
export const openRepeats = (clock: Pick<Clock, 'elapsed'>, began: 'new' | 'again'): Repeats => {
  const start = clock.elapsed();
  const senders = new Map<string, Known>();

  const known = (sender: string): Known => {
    let found = senders.get(sender);
    if (found === undefined) {
      const oldest = senders.keys().next();
      if (senders.size >= mostSenders && oldest.done === false) senders.delete(oldest.value);
      found = { suspected: 0, bodies: new Set() };
    } else senders.delete(sender);
    senders.set(sender, found);
    return found;
  };

  return {
    digest(body) {
      const hash = createHash('sha256');
      for (const piece of body) hash.update(piece);
      return hash.digest('base64');
    },
    isPossible(sender, digest) {
      const found = known(sender);
      if (found.bodies.has(digest)) return true;
      if (began === 'new' || clock.elapsed() - start > suspectedForMs) return false;
      if (found.suspected >= suspectedBodies) return false;
      found.suspected += 1;
      return true;
    },
    unanswered(sender, digest) {
      const { bodies } = known(sender);
      bodies.add(digest);
      const [oldest] = bodies;
      if (bodies.size > mostBodies && oldest !== undefined) bodies.delete(oldest);
    },
  };
};
