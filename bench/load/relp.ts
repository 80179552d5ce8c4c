import type { Socket } from 'node:net';
import type { Pieces } from './pieces.ts';

/** A client's session of RELP (librelp, doc/relp.html) that keeps as many lines on their way as its window allows. */
export type RelpSession = {
  /** Sends every line, waits until all are acknowledged, and closes. @throws Error if one is refused */
  send(pieces: Pieces): Promise<void>;
};

const LF = 0x0a;
/** `TXNR SP syslog SP DATALEN SP` is shorter. */
const longestHeader = 32;
const outBytes = 256 * 1024;
/** Transaction numbers go up to here, and then on from 1. */
const mostTxnr = 999_999_999;

export const openRelpSession = async (socket: Socket, window: number): Promise<RelpSession> => {
  const answers = readAnswers(socket);
  const offers = 'relp_version=0\nrelp_software=bench\ncommands=syslog';
  socket.write(`1 open ${offers.length} ${offers}\n`);
  await answers.until(1);
  let txnr = 1;

  return {
    async send(pieces) {
      const buffer = pieces.buffer();
      const out = Buffer.allocUnsafeSlow(outBytes);
      let used = 0;
      const flush = async (): Promise<void> => {
        const bytes = out.subarray(0, used);
        used = 0;
        await new Promise<void>((resolve, reject) => {
          socket.write(bytes, (error) => (error ? reject(error) : resolve()));
        });
      };
      for (let piece = pieces.next(buffer); piece.length > 0; piece = pieces.next(buffer)) {
        for (let from = 0; from < piece.length;) {
          const end = piece.indexOf(LF, from);
          if (txnr - answers.count() >= window) {
            await flush();
            // Half a window at a time: an answer for each line would mean a write for each line.
            await answers.until(txnr - Math.floor(window / 2));
          }
          if (used + longestHeader + end + 1 - from > outBytes) await flush();
          txnr += 1;
          if (txnr > mostTxnr) throw new Error('more lines than transaction numbers');
          used = putNumber(out, used, txnr);
          used += out.write(' syslog ', used, 'latin1');
          used = putNumber(out, used, end - from);
          out[used] = 0x20;
          piece.copy(out, used + 1, from, end + 1);
          used += end + 2 - from;
          from = end + 1;
        }
      }
      if (used > 0) await flush();
      await answers.until(txnr);
      socket.write(`${txnr + 1} close 0\n`);
      await answers.until(txnr + 1);
      socket.end();
    },
  };
};

/** Decimal digits of `value` from `at` on. @returns where they end */
const putNumber = (out: Buffer, at: number, value: number): number => {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  for (let i = at + digits - 1, rest = value; i >= at; i -= 1, rest = Math.floor(rest / 10))
    out[i] = 0x30 + (rest % 10);
  return at + digits;
};

type Answers = {
  /** How many transactions are answered; receivers answer them in order. */
  count(): number;
  until(count: number): Promise<void>;
};

/**
 * Counts `TXNR SP rsp SP DATALEN SP 200 SP OK LF`. Each is looked at: its number must be the next one and its data must
 * begin with 200, but for the answer to `close`, which has no data.
 */
const readAnswers = (socket: Socket): Answers => {
  let answered = 0;
  let rest: Buffer = Buffer.alloc(0);
  let wanted = Infinity;
  let wake: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;

  const number = { value: 0, end: 0 };
  const readNumber = (bytes: Buffer, from: number): void => {
    number.value = 0;
    number.end = from;
    for (let digit = bytes[from] ?? 0; digit >= 0x30 && digit <= 0x39; digit = bytes[number.end] ?? 0) {
      number.value = number.value * 10 + digit - 0x30;
      number.end += 1;
    }
  };

  /** @returns where the next answer begins, 0 if this one is not whole */
  const take = (bytes: Buffer, from: number): number => {
    readNumber(bytes, from);
    const txnr = number.value;
    // ` rsp `
    const lengthAt = number.end + 5;
    if (lengthAt >= bytes.length) return 0;
    if (txnr === 0) return 0; // `0 serverclose 0`: the end, nothing to count
    readNumber(bytes, lengthAt);
    const { value: length, end } = number;
    const next = end + (length > 0 ? 1 + length : 0) + 1;
    if (next > bytes.length) return 0;
    const good = length === 0 || bytes.toString('latin1', end + 1, end + 4) === '200';
    if (txnr !== answered + 1 || !good)
      throw new Error(`after ${answered} came ${JSON.stringify(bytes.toString('latin1', from, next))}`);
    answered = txnr;
    return next;
  };

  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    try {
      for (let next = take(bytes, at); next > 0; next = take(bytes, at)) at = next;
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
      socket.destroy();
      return;
    }
    rest = bytes.subarray(at);
    if (answered >= wanted) wake();
  });
  socket.on('close', () => {
    if (wanted !== Infinity) fail(new Error(`the connection ended after ${answered} answers`));
  });

  return {
    count: () => answered,
    until: (count) => {
      if (answered >= count) return Promise.resolve();
      return new Promise((resolve, reject) => {
        wanted = count;
        wake = () => {
          wanted = Infinity;
          resolve();
        };
        fail = reject;
      });
    },
  };
};
