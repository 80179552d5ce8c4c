import type { PendingDelivery } from '#vault/intake';
import { nextTxnr } from './framing.ts';

/** What is owed to one sender, given in the order in which it is owed. */
export type Answers = {
  /** `count` messages from number `first` on are answered once this delivery is durable. */
  owe(delivery: PendingDelivery, first: number, count: number): void;
  /** Said after all that is owed already. */
  say(text: string): void;
  /** Messages that wait for their answer. */
  readonly owed: number;
  /** Calls back, once, when nothing is owed. */
  whenSettled(done: () => void): void;
};

type Owed = {
  readonly said: string;
  readonly first: number;
  count: number;
  readonly stored: { isDurable: boolean };
};

const already = { isDurable: true };

/**
 * Everything that became durable in one turn of the event loop is answered in one write.
 * @param write takes the answers as bytes
 */
export const openAnswers = (write: (bytes: Buffer) => void): Answers => {
  let queue: Owed[] = [];
  let owed = 0;
  let isDue = false;
  let delivery: PendingDelivery | null = null;
  let stored = already;
  let settled: (() => void) | null = null;

  const give = (): void => {
    isDue = false;
    const texts: Buffer[] = [];
    let given = 0;
    for (const { said, first, count, stored: of } of queue) {
      if (!of.isDurable) break;
      texts.push(count > 0 ? okFrames(first, count) : Buffer.from(said));
      owed -= count;
      given += 1;
    }
    if (given > 0) {
      queue = queue.slice(given);
      write(texts.length === 1 && texts[0] !== undefined ? texts[0] : Buffer.concat(texts));
    }
    if (queue.length > 0 || settled === null) return;
    const done = settled;
    settled = null;
    done();
  };

  const giveSoon = (): void => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(give);
  };

  const follow = (next: PendingDelivery): void => {
    const state = { isDurable: false };
    next.durable = () => {
      state.isDurable = true;
      giveSoon();
    };
    delivery = next;
    stored = state;
  };

  return {
    owe(next, first, count) {
      owed += count;
      const last = queue.at(-1);
      if (next !== delivery) follow(next);
      else if (last?.stored === stored && last.count > 0) {
        last.count += count;
        return;
      }
      queue.push({ said: '', first, count, stored });
    },
    say(text) {
      queue.push({ said: text, first: 0, count: 0, stored: already });
      giveSoon();
    },
    get owed() {
      return owed;
    },
    whenSettled(done) {
      settled = done;
      giveSoon();
    },
  };
};

const ok = Buffer.from(' rsp 6 200 OK\n');
const longestNumber = 9;

/** `TXNR rsp 6 200 OK LF` for `count` numbers from `first` on. */
export const okFrames = (first: number, count: number): Buffer => {
  const bytes = Buffer.allocUnsafe(count * (longestNumber + ok.length));
  let at = 0;
  let txnr = first;
  for (let i = 0; i < count; i += 1) {
    let digits = 1;
    for (let power = 10; power <= txnr; power *= 10) digits += 1;
    let rest = txnr;
    for (let digit = at + digits - 1; digit >= at; digit -= 1) {
      bytes[digit] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    at += digits;
    for (let j = 0; j < ok.length; j += 1) bytes[at + j] = ok[j] ?? 0;
    at += ok.length;
    txnr = nextTxnr(txnr);
  }
  return bytes.subarray(0, at);
};
