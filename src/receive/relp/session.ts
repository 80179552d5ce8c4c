import type { Socket } from 'node:net';
import type { Clock } from '#base/clock';
import { encodeRecordHead, Flag, Framing } from '#vault/record';
import type { IntakeWriter, PendingDelivery } from '#vault/intake';
import type { Ledger } from '../ledger.ts';
import type { Conversation, Peer } from '../stream-server.ts';
import type { CarryBudget } from '../syslog/framing.ts';
import { usualWindow, type Copies } from './copies.ts';
import { acknowledgements, readHeader, response, SyslogRun, type RelpHeader } from './frame.ts';

export type SessionOptions = {
  intake: IntakeWriter;
  clock: Clock;
  ledger: Ledger;
  budget: CarryBudget;
  copies: Copies;
};

type Pending = PendingDelivery & { first: number; count: number };

/** Runs that were read within this (µs) share one delivery. */
const mergeWithin = 1000;
const mergeBytes = 1024 * 1024;
const longestCommandData = 32 * 1024;
const LF = 0x0a;

const offers = '200 OK\nrelp_version=0\nrelp_software=holdfast\ncommands=syslog';
const hint = '0 serverclose 0\n';

/**
 * One RELP session. `syslog` frames go into intake as they came, runs of them as one delivery, and are answered when that
 * is durable. What is unfinished when the connection breaks was not answered, so its sender has it still and sends it
 * again: it is not stored, but counted. What is not RELP is answered 500, and ends the session.
 */
export const relpSession = (
  socket: Socket,
  who: Peer,
  listener: string,
  { intake, clock, ledger, budget, copies }: SessionOptions,
): Required<Conversation> => {
  const sender = who.tlsName !== '' ? who.tlsName : who.peer.replace(/:\d+$/, '');
  const run = new SyslogRun();
  const heads = new Map<Framing, Buffer>();
  let carry: Buffer[] = [];
  let carried = 0;
  /** Bytes that must be there before it is worth another look. */
  let wanted = 1;
  let life: 'new' | 'open' | 'over' = 'new';
  /** Messages that may still be copies. */
  let doubtful = 0;
  let taken = 0;
  let mostUnanswered = usualWindow;
  let unanswered = 0;
  let closing: (() => void) | null = null;
  let last: Pending | null = null;
  /** A frame that is longer than may be held, on its way in parts. */
  let long: { txnr: number; missing: number } | null = null;

  const write = (text: string): void => {
    if (socket.writable) socket.write(text, 'latin1');
  };

  const settle = (): void => {
    if (unanswered > 0 || closing === null) return;
    const close = closing;
    closing = null;
    close();
  };

  const answer = ({ first, count }: Pending): void => {
    unanswered -= count;
    write(acknowledgements(first, count));
    settle();
  };

  const headFor = (framing: Framing): Buffer => {
    let head = heads.get(framing);
    if (head === undefined) {
      head = encodeRecordHead({
        flags: 0,
        framing,
        received: clock.now(),
        sequence: 0,
        listener,
        peer: who.peer,
        tlsName: who.tlsName,
        stream: '',
        meta: '',
      });
      heads.set(framing, head);
    }
    return head;
  };

  const enqueue = (framing: Framing, flags: number, body: Buffer[], first: number, count: number): void => {
    const head = headFor(framing);
    const received = clock.now();
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    unanswered += count;
    taken += count;
    mostUnanswered = Math.max(mostUnanswered, unanswered);
    if (
      last !== null &&
      !last.sealed &&
      last.head === head &&
      last.flags === flags &&
      (flags & Flag.part) === 0 &&
      last.first + last.count === first &&
      Math.abs(received - last.received) < mergeWithin &&
      last.bodyLength + length <= mergeBytes
    ) {
      last.count += count;
      intake.extend(last, body, length);
      return;
    }
    const delivery: Pending = {
      head,
      received,
      sequence: 0,
      flags,
      body,
      bodyLength: length,
      durable: () => answer(delivery),
      sealed: false,
      first,
      count,
    };
    last = delivery;
    intake.enqueue(delivery);
  };

  const doubt = (): number => (doubtful > 0 ? Flag.possibleRedelivery : 0);

  const keep = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    // A copy: a view of a few bytes would hold all that was read with them.
    carry.push(Buffer.from(bytes));
    carried += bytes.length;
    budget.carried += bytes.length;
  };

  const takeCarry = (): Buffer => {
    const bytes = carry.length === 1 && carry[0] !== undefined ? carry[0] : Buffer.concat(carry);
    budget.carried -= carried;
    carry = [];
    carried = 0;
    return bytes;
  };

  const finish = (): Promise<void> =>
    new Promise((resolve) => {
      if (life === 'over' && unanswered === 0) return resolve();
      life = 'over';
      closing = () => {
        write(hint);
        resolve();
      };
      settle();
    });

  const violation = (txnr: number, why: string): void => {
    ledger.say({ kind: 'refusal', cause: 'protocol', listener, sender: who.peer, why: `RELP: ${why}` });
    write(response(txnr, `500 ${why}`));
    void finish().then(() => socket.end());
  };

  const command = ({ txnr, command: name }: RelpHeader): void => {
    switch (name) {
      case 'open':
        if (life === 'open') return violation(txnr, 'the session is open already');
        life = 'open';
        doubtful = copies.begin(sender);
        return write(response(txnr, offers));
      case 'close': {
        life = 'over';
        closing = () => {
          copies.end(sender, 0);
          write(`${response(txnr, '')}${hint}`);
          socket.end();
        };
        return settle();
      }
      default:
        // What is not known is said to be so, and the session goes on.
        return write(response(txnr, `500 unknown command ${name}`));
    }
  };

  const part = (bytes: Buffer, flags: number, txnr: number, count: 0 | 1): void =>
    enqueue(
      Framing.octetCounted,
      Flag.part | flags | doubt(),
      [Buffer.from(`${bytes.length} `, 'latin1'), bytes],
      txnr,
      count,
    );

  /** @returns what is left */
  const goOnWithLong = (bytes: Buffer): Buffer => {
    let rest = bytes;
    while (long !== null && rest.length > 0) {
      const piece = rest.subarray(0, Math.min(long.missing, budget.limit()));
      rest = rest.subarray(piece.length);
      long.missing -= piece.length;
      if (long.missing > 0) {
        part(piece, 0, long.txnr, 0);
        continue;
      }
      part(piece, Flag.lastPart, long.txnr, 1);
      doubtful = Math.max(0, doubtful - 1);
      long = null;
    }
    return rest;
  };

  /** Where the frame that begins at `at` ends, or `null` where it was not taken as a whole. */
  const single = (bytes: Buffer, at: number): number | null => {
    const read = readHeader(bytes, at);
    if (read.result === 'none') {
      violation(0, read.why);
      return null;
    }
    if (read.result === 'unfinished') {
      wanted = bytes.length - at + 1;
      keep(bytes.subarray(at));
      return null;
    }
    const { header } = read;
    const end = header.dataAt + header.length;
    if (header.command === 'syslog' && life === 'open' && header.length > budget.limit()) {
      long = { txnr: header.txnr, missing: header.length };
      const rest = goOnWithLong(bytes.subarray(header.dataAt));
      return bytes.length - rest.length;
    }
    if (header.command !== 'syslog' && header.length > longestCommandData) {
      violation(header.txnr, `${header.length} bytes of data for ${header.command}`);
      return null;
    }
    if (end >= bytes.length) {
      wanted = end + 1 - at;
      keep(bytes.subarray(at));
      return null;
    }
    if (bytes[end] !== LF) {
      violation(header.txnr, 'no line feed after the data');
      return null;
    }
    if (header.command === 'syslog' && life !== 'open') {
      violation(header.txnr, 'the session is not open');
      return null;
    }
    // Of the syslog frames these are the ones whose number does not follow the one before.
    if (header.command === 'syslog') return at;
    command(header);
    return end + 1;
  };

  const goesOn = (): boolean => life !== 'over';

  const take = (bytes: Buffer): void => {
    let at = 0;
    while (at < bytes.length && goesOn()) {
      if (life === 'open') {
        run.walk(bytes, at, doubtful > 0 ? doubtful : Infinity, budget.limit());
        if (run.count > 0) {
          enqueue(Framing.relp, doubt(), [bytes.subarray(at, run.end)], run.first, run.count);
          doubtful = Math.max(0, doubtful - run.count);
          at = run.end;
          continue;
        }
        // The LF after a frame that went out in parts.
        if (bytes[at] === LF && last !== null && (last.flags & Flag.lastPart) !== 0) {
          at += 1;
          continue;
        }
      }
      const next = single(bytes, at);
      if (next === null) return;
      at = next;
    }
  };

  return {
    push(chunk) {
      if (life === 'over') return;
      if (long !== null) return take(goOnWithLong(chunk));
      if (carried === 0) return take(chunk);
      if (carried + chunk.length < wanted) return keep(chunk);
      carry.push(chunk);
      carried += chunk.length;
      budget.carried += chunk.length;
      take(takeCarry());
    },
    end() {
      const bytes = takeCarry().length;
      if (long !== null) part(Buffer.alloc(0), Flag.lastPart | Flag.torn, long.txnr, 0);
      if (bytes > 0 || long !== null)
        ledger.say({ kind: 'torn', cause: 'connection cut in a frame', listener, sender: who.peer, bytes });
      if (life !== 'over' || unanswered > 0) copies.end(sender, Math.min(taken, mostUnanswered) + doubtful);
      life = 'over';
    },
    finish,
  };
};
