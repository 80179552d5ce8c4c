import type { Duplex } from 'node:stream';

/** Bytes of bodies that have not been sent yet, over all connections: what slow readers can make this process hold. */
export type Outgoing = { left: number };

/** A request, until its answer was taken or its connection is gone. */
export type Exchange = {
  /** Whether there is room for a body of so many bytes among all that are under way; if so, it is counted. */
  holds(bytes: number): boolean;
  /** Once or more. */
  end(): void;
};

export type Exchanges = {
  /** `null` where too many of the connection's requests are unanswered: it is to be cut off. */
  begin(): Exchange | null;
};

/**
 * The requests of one connection that are under way. Node parses all that has come before it looks whether anybody takes
 * the answers, and never says of an answer that still waits for another's end that its connection is gone: so they are
 * counted here, and end with the connection.
 * @param most that may be unanswered
 * @param withinMs after which a peer that has not taken its answer is cut off
 */
export const openExchanges = (
  connection: Duplex,
  outgoing: Outgoing,
  most: number,
  withinMs: number,
): Exchanges => {
  const underWay = new Set<Exchange>();
  connection.once('close', () => {
    for (const exchange of underWay) exchange.end();
  });
  return {
    begin() {
      if (connection.destroyed || underWay.size >= most) return null;
      const timer = setTimeout(() => connection.destroy(), withinMs);
      let held = 0;
      const exchange: Exchange = {
        holds(bytes) {
          if (bytes > outgoing.left || !underWay.has(exchange)) return false;
          outgoing.left -= bytes;
          held += bytes;
          return true;
        },
        end() {
          if (!underWay.delete(exchange)) return;
          clearTimeout(timer);
          outgoing.left += held;
        },
      };
      underWay.add(exchange);
      return exchange;
    },
  };
};
