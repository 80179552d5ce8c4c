import type { CarryBudget } from './syslog/framing.ts';

/** The end of what one connection has sent, where a frame has begun and is not finished. */
export type Carry = {
  readonly length: number;
  /** Copies: a view of a few bytes would hold its whole chunk, and bytes that come singly cost a buffer each. */
  keep(bytes: Buffer): void;
  /** All of it; nothing is carried any more. */
  take(): Buffer;
  /** The byte that came last; 0 where nothing is carried. */
  last(): number;
};

const empty = Buffer.alloc(0);

export const openCarry = (budget: CarryBudget): Carry => {
  let held = empty;
  let length = 0;
  return {
    get length() {
      return length;
    },
    keep(bytes) {
      const grown = length + bytes.length;
      if (grown > held.length) {
        const larger = Buffer.allocUnsafeSlow(length === 0 ? grown : Math.max(grown, length * 2));
        larger.set(held.subarray(0, length));
        held = larger;
      }
      held.set(bytes, length);
      length = grown;
      budget.carried += bytes.length;
    },
    take() {
      const bytes = held.subarray(0, length);
      held = empty;
      budget.carried -= length;
      length = 0;
      return bytes;
    },
    last: () => held[length - 1] ?? 0,
  };
};
