import { connect, type Socket } from 'node:net';
import { messageOf } from '#base/errors';
import type { LineMeta } from '#wire/own';
import { encodeHello, encodeOwnFrame, openAcknowledgements } from '#wire/own-frame';
import { PublishError } from './errors.ts';

/** The publisher's way to `run/own.sock` (protocol: src/wire/own.ts). */
export type OwnLine = {
  /**
   * Resolves when the receiver has made the line durable.
   * @throws PublishError `away`, `busy`: whether it was taken is not known, and nothing of it is kept here
   */
  send(raw: Buffer): Promise<void>;
  close(): void;
};

export type OwnLineOptions = {
  socket: string;
  host: string;
  /** A new name for a stream of numbered lines, never given before. */
  newStream(): string;
  /** Default 5 s. */
  withinMs?: number;
};

/** Lines that may wait for an acknowledgement. */
const mostWaiting = 64;

type Waiting = { sequence: number; kept(): void; lost(error: PublishError): void };
type Conversation = { socket: Socket; last: number; waiting: Waiting[] };

/**
 * The publisher writes nothing to disk, so it has no spool: where the receiver does not acknowledge, whoever handed the
 * line in is told, and comes again. A stream therefore lasts as long as its connection: its numbers end where they end,
 * without a hole, and the next connection begins another.
 */
export const openOwnLine = (options: OwnLineOptions): OwnLine => {
  const { withinMs = 5000 } = options;
  let current: Conversation | null = null;

  const begin = (): Conversation => {
    const socket = connect(options.socket);
    const conversation: Conversation = { socket, last: 0, waiting: [] };
    let why = 'it ended the connection';
    const acknowledgements = openAcknowledgements();
    socket.on('error', (error) => (why = messageOf(error)));
    socket.on('close', () => {
      if (current === conversation) current = null;
      for (const one of conversation.waiting.splice(0))
        one.lost(new PublishError('away', `the receiver at ${options.socket} took no line: ${why}`));
    });
    socket.on('data', (chunk: Buffer) => {
      const through = acknowledgements.push(chunk);
      if (through === null) return;
      if (through > conversation.last) return void socket.destroy();
      while ((conversation.waiting[0]?.sequence ?? Infinity) <= through) conversation.waiting.shift()?.kept();
    });
    socket.write(encodeHello({ sender: 'publisher', stream: options.newStream() }));
    return conversation;
  };

  const meta: LineMeta = { via: 'self', host: options.host };
  const metaBytes = Buffer.from(JSON.stringify(meta));

  return {
    send: (raw) =>
      new Promise((resolve, reject) => {
        current ??= begin();
        const { socket, waiting } = current;
        if (waiting.length >= mostWaiting)
          return reject(new PublishError('busy', `${mostWaiting} lines wait for the receiver already`));
        current.last += 1;
        const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), withinMs);
        waiting.push({
          sequence: current.last,
          kept: () => {
            clearTimeout(timer);
            resolve();
          },
          lost: (error) => {
            clearTimeout(timer);
            reject(error);
          },
        });
        socket.write(encodeOwnFrame(current.last, metaBytes, raw));
      }),
    close: () => current?.socket.destroy(),
  };
};
