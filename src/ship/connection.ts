import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Hello } from '#wire/own';
import { encodeHello, openAcknowledgements } from '#wire/own-frame';
import type { Destination } from './destination.ts';
import type { Spool } from './spool/spool.ts';

/** Sends what the spool holds and hears what is acknowledged, for as long as it is not closed. */
export type Connection = {
  /** There is something new in the spool. */
  wake(): void;
  connected(): boolean;
  /** Ends the connection. What was not acknowledged stays in the spool. */
  close(): Promise<void>;
};

const firstBackoff = 20;
const lastBackoff = 1000;
const connectWithinMs = 10_000;

/**
 * Keeps a connection to the receiver (protocol: src/wire/own.ts). After a reconnect it sends again from the first
 * line that was not acknowledged. An acknowledgement of something that was never sent ends the connection and
 * frees nothing.
 */
export const keepConnection = (options: {
  to: Destination;
  hello: Hello;
  spool: Spool;
  log: OwnLog;
  onAcknowledged(through: number): Promise<void>;
  onFault(error: unknown): void;
}): Connection => {
  const { spool, log, to } = options;
  const ended = new AbortController();
  let current: Socket | null = null;
  let awaken: (() => void) | null = null;
  let failing = false;

  const serve = async (socket: Socket): Promise<void> => {
    let sent = spool.acknowledged();
    const acknowledgements = openAcknowledgements();
    socket.on('data', (chunk: Buffer) => {
      const through = acknowledgements.push(chunk);
      if (through === null) return;
      if (through > sent) {
        socket.destroy(
          new Error(`the receiver acknowledged line ${through}, but only ${sent} were sent to it`),
        );
      } else if (through > spool.acknowledged()) {
        if (failing) log('info', `${to.shown}: it takes lines again`);
        failing = false;
        options.onAcknowledged(through).catch(options.onFault);
      }
    });
    socket.write(encodeHello(options.hello));

    socket.on('drain', () => awaken?.());
    socket.on('close', () => awaken?.());
    const reader = spool.read(sent);
    try {
      while (!socket.destroyed && !socket.readableEnded && !ended.signal.aborted) {
        const awake = new Promise<void>((resolve) => (awaken = resolve));
        const batch = socket.writableNeedDrain ? null : await reader.next();
        if (batch === null) {
          await awake;
        } else {
          sent = batch.last;
          socket.write(batch.frames);
        }
      }
    } finally {
      await reader.close();
    }
  };

  const run = async (): Promise<void> => {
    let backoff = firstBackoff;
    while (!ended.signal.aborted) {
      const complain = (error: unknown): void => {
        if (!failing)
          log('warning', `${to.shown}: ${messageOf(error)}; lines are kept in the spool until it answers`);
        failing = true;
      };
      const socket = await opened(to, complain, ended.signal);
      if (socket !== null) {
        const before = spool.acknowledged();
        current = socket;
        try {
          await serve(socket);
        } finally {
          current = null;
          if (ended.signal.aborted) socket.destroySoon();
          else socket.destroy();
        }
        if (spool.acknowledged() > before) backoff = firstBackoff;
        // A server that does not take our certificate says so only after the handshake (TLS 1.3).
        else if (spool.last() > before && !ended.signal.aborted)
          complain(new Error('it ended the connection and acknowledged nothing'));
      }
      if (!ended.signal.aborted)
        await wait(backoff, undefined, { signal: ended.signal }).catch(() => undefined);
      backoff = Math.min(backoff * 2, lastBackoff);
    }
  };
  const running = run().catch(options.onFault);

  return {
    wake: () => awaken?.(),
    connected: () => current !== null,
    async close() {
      ended.abort();
      awaken?.();
      await running;
    },
  };
};

/** @returns `null` where it did not come about */
const opened = async (
  to: Destination,
  complain: (error: unknown) => void,
  ended: AbortSignal,
): Promise<Socket | null> => {
  let socket: Socket;
  try {
    socket = to.connect();
  } catch (error) {
    complain(error);
    return null;
  }
  socket.on('error', complain);
  const give = (): void => void socket.destroy(new Error('no answer'));
  const patience = setTimeout(give, connectWithinMs);
  const end = (): void => void socket.destroy();
  ended.addEventListener('abort', end);
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once(to.opened, () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  clearTimeout(patience);
  ended.removeEventListener('abort', end);
  return isOpen ? socket : null;
};
