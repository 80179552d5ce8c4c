import { connect } from 'node:net';
import { once } from 'node:events';
import { messageOf } from '#base/errors';
import type { Hello } from '#wire/own';
import { encodeHello, encodeOwnFrame, openAcknowledgements } from '#wire/own-frame';
import { ShipError } from '../errors.ts';
import { inParts, type Line } from '../line.ts';

/** Straight to the receiver, without a spool: for whoever has the source still, and can send all of it again. */
export type OwnSender = {
  /** Sends a line under the next number. Waits while much is unacknowledged. @throws ShipError `receiver-away` */
  send(line: Line): Promise<void>;
  /** Numbers given, and how many of them are durable with the receiver. */
  sent(): number;
  acknowledged(): number;
  /** Resolves when all that was sent is durable. @throws ShipError `receiver-away` */
  flushed(): Promise<void>;
  close(): void;
};

/** What may be on its way; bounds the memory, and is little enough to be on disk soon. */
const mostWaiting = 8 * 1024 * 1024;
const mostTogether = 256 * 1024;

/** @throws ShipError `receiver-away` */
export const openOwnSender = async (path: string, hello: Hello): Promise<OwnSender> => {
  const socket = connect(path);
  const state: { fault: ShipError | null } = { fault: null };
  let wake: (() => void) | null = null;
  const fail = (why: string, cause?: unknown): void => {
    state.fault ??= new ShipError('receiver-away', `${path}: ${why}`, { cause });
    wake?.();
  };
  socket.on('error', (error) => fail(messageOf(error), error));
  socket.on('close', () => fail('the receiver ended the connection'));
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  if (state.fault !== null) throw state.fault;
  socket.write(encodeHello(hello));

  let sent = 0;
  let acknowledged = 0;
  /** Last number and size of what was written and is not acknowledged. */
  const waiting: { last: number; bytes: number }[] = [];
  let waitingBytes = 0;
  let together: Buffer[] = [];
  let togetherBytes = 0;

  const acknowledgements = openAcknowledgements();
  socket.on('data', (chunk: Buffer) => {
    acknowledged = acknowledgements.push(chunk) ?? acknowledged;
    while (waiting[0] !== undefined && waiting[0].last <= acknowledged)
      waitingBytes -= waiting.shift()?.bytes ?? 0;
    wake?.();
  });

  const write = (): void => {
    if (togetherBytes === 0) return;
    waiting.push({ last: sent, bytes: togetherBytes });
    waitingBytes += togetherBytes;
    socket.write(Buffer.concat(together));
    together = [];
    togetherBytes = 0;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (state.fault === null && !holds()) await new Promise<void>((resolve) => (wake = resolve));
    if (state.fault !== null) throw state.fault;
  };

  return {
    sent: () => sent,
    acknowledged: () => acknowledged,
    async send(line) {
      for (const { meta, raw } of inParts(line)) {
        sent += 1;
        const frame = encodeOwnFrame(sent, Buffer.from(JSON.stringify(meta)), raw);
        together.push(frame);
        togetherBytes += frame.length;
      }
      if (togetherBytes < mostTogether) return;
      write();
      await until(() => waitingBytes < mostWaiting);
    },
    async flushed() {
      write();
      await until(() => acknowledged >= sent);
    },
    close() {
      state.fault ??= new ShipError('closed', 'the sender is closed');
      socket.destroy();
    },
  };
};
