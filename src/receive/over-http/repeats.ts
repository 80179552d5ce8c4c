import { createHash } from 'node:crypto';
import type { Clock } from '#base/clock';

/**
 * Tells which requests may have been stored before. HTTP has no number of its own: a client whose answer was lost sends
 * the same body again, and nothing but the body says so. A request is known by the digest of what is stored of it first.
 */
export type Repeats = {
  digest(body: readonly Buffer[]): string;
  /** @param sender name of its certificate, else its network */
  isPossible(sender: string, digest: string): boolean;
  /** Something of it was stored, and its answer did not get through. */
  unanswered(sender: string, digest: string): void;
  /** The answer to a request of this sender got through. */
  answered(sender: string): void;
};

const mostSenders = 1024;
const mostBodies = 256;
/** How long everything is suspected of a sender of whom it is not known, or not any more, what was unanswered. */
const suspectedForMs = 10 * 60 * 1000;

type Known = {
  bodies: Set<string>;
  /** Of what came before the start, or before it was forgotten: until one answer got through to it. */
  newcomerUntil: number;
  /** More was unanswered than is remembered. */
  overflowUntil: number;
};

/** @param began `new`: this receiver has no predecessor whose answers may have been lost */
export const openRepeats = (clock: Pick<Clock, 'elapsed'>, began: 'new' | 'again'): Repeats => {
  const senders = new Map<string, Known>();
  let newcomersUntil = began === 'new' ? -Infinity : clock.elapsed() + suspectedForMs;

  const known = (sender: string): Known => {
    let found = senders.get(sender);
    if (found === undefined) {
      const oldest = senders.entries().next();
      if (senders.size >= mostSenders && oldest.done === false) {
        const [name, { bodies }] = oldest.value;
        senders.delete(name);
        // It may come again, and would be a newcomer then.
        if (bodies.size > 0) newcomersUntil = clock.elapsed() + suspectedForMs;
      }
      found = { bodies: new Set(), newcomerUntil: newcomersUntil, overflowUntil: -Infinity };
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
      const { bodies, newcomerUntil, overflowUntil } = known(sender);
      return bodies.has(digest) || clock.elapsed() < Math.max(newcomerUntil, overflowUntil);
    },
    unanswered(sender, digest) {
      const found = known(sender);
      found.bodies.add(digest);
      const [oldest] = found.bodies;
      if (found.bodies.size <= mostBodies || oldest === undefined) return;
      found.bodies.delete(oldest);
      found.overflowUntil = clock.elapsed() + suspectedForMs;
    },
    answered(sender) {
      known(sender).newcomerUntil = -Infinity;
    },
  };
};
