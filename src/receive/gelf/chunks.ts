import type { Clock } from '#base/clock';
import { Flag } from '#vault/record';
import type { Joined } from '../syslog/udp.ts';

/**
 * A chunk is `1e 0f`, an id of 8 bytes, its number, how many there are (at most 128), and its share of the message
 * (https://go2docs.graylog.org/current/getting_in_log_data/gelf.html).
 */
const headerLength = 12;
const mostChunks = 128;
/** All chunks of a message have to come within five seconds. */
const patienceMs = 5000;
/** Of all messages that are incomplete. The oldest is given up for another. */
const mostMessages = 1024;
const mostBytes = 16 * 1024 * 1024;

type Message = {
  peer: string;
  chunks: (Buffer | undefined)[];
  missing: number;
  bytes: number;
  since: number;
};

export type ChunkJoiner = {
  /** @returns a message that is whole; `null` while some of it is missing. What is no chunk is a message as it is. */
  take(datagram: Buffer, peer: string): Joined | null;
  /** Gives up what is incomplete. */
  stop(): void;
};

/** @param later takes what came of a message that is incomplete and stays so, in the order of its chunks */
export const joinChunks = (
  clock: Pick<Clock, 'elapsed'>,
  later: (joined: Joined, peer: string) => void,
): ChunkJoiner => {
  const messages = new Map<string, Message>();
  let held = 0;

  const remove = (key: string, { bytes }: Message): void => {
    held -= bytes;
    messages.delete(key);
  };

  const come = ({ chunks }: Message): Buffer[] => chunks.filter((chunk) => chunk !== undefined);

  const giveUp = (key: string, message: Message): void => {
    remove(key, message);
    later({ pieces: come(message), flags: Flag.torn }, message.peer);
  };

  /** The first is the oldest. */
  const giveUpFirst = (): void => {
    const first = messages.entries().next();
    if (first.done === false) giveUp(...first.value);
  };

  const watch = setInterval(() => {
    for (const [key, message] of messages)
      if (clock.elapsed() - message.since > patienceMs) giveUp(key, message);
  }, 500);

  return {
    take(datagram, peer) {
      const number = datagram[10] ?? 0;
      const count = datagram[11] ?? 0;
      const isChunk =
        datagram.length >= headerLength &&
        datagram[0] === 0x1e &&
        datagram[1] === 0x0f &&
        count > 0 &&
        count <= mostChunks &&
        number < count;
      if (!isChunk) return { pieces: [datagram], flags: 0 };
      const key = `${peer} ${datagram.toString('hex', 2, 10)} ${count}`;
      let message = messages.get(key);
      if (message === undefined) {
        if (messages.size >= mostMessages) giveUpFirst();
        message = {
          peer,
          chunks: Array.from({ length: count }, () => undefined),
          missing: count,
          bytes: 0,
          since: clock.elapsed(),
        };
        messages.set(key, message);
      }
      const before = message.chunks[number];
      if (before !== undefined) {
        // A copy says nothing new; under an id that is used again it is the piece of another message, without the rest.
        const payload = datagram.subarray(headerLength);
        if (!before.equals(payload)) later({ pieces: [payload], flags: Flag.torn }, peer);
        return null;
      }
      message.chunks[number] = datagram.subarray(headerLength);
      message.missing -= 1;
      message.bytes += datagram.length;
      held += datagram.length;
      if (message.missing === 0) {
        remove(key, message);
        return { pieces: come(message), flags: 0 };
      }
      for (const [oldest, other] of messages) {
        if (held <= mostBytes) break;
        giveUp(oldest, other);
      }
      return null;
    },
    stop() {
      clearInterval(watch);
      for (const [key, message] of messages) giveUp(key, message);
    },
  };
};
