import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** A sender on run/own.sock that numbers its lines and sends again what was not acknowledged. */
export type NumberedSender = {
  /** Sends no more, waits until all is acknowledged. @returns how many lines were */
  finish(): Promise<number>;
  abort(): void;
};

const meta = Buffer.from(JSON.stringify({ via: 'file', host: hostname(), path: '/var/log/killtest.log' }));

const frame = (text: string, sequence: number): Buffer => {
  const raw = Buffer.from(text);
  const buffer = Buffer.alloc(8 + 2 + meta.length + 4 + raw.length);
  buffer.writeBigUInt64BE(BigInt(sequence), 0);
  buffer.writeUInt16BE(meta.length, 8);
  meta.copy(buffer, 10);
  buffer.writeUInt32BE(raw.length, 10 + meta.length);
  raw.copy(buffer, 14 + meta.length);
  return buffer;
};

/** About 250 lines a second, in groups, each `TOKEN #NUMBER`. */
export const numberedSender = (socketPath: string, token: string): NumberedSender => {
  let written = 0;
  let acknowledged = 0;
  let open: Socket | null = null;
  let ended = false;
  let finishing = false;

  const dial = (): void => {
    if (ended) return;
    // Where a test fails meanwhile it must not keep the process.
    const socket = connect(socketPath).unref();
    let held = Buffer.alloc(0);
    socket.on('connect', () => {
      const hello = Buffer.from(JSON.stringify({ sender: 'killtest', stream: `${token}-stream` }));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(hello.length);
      socket.write(Buffer.concat([length, hello]));
      for (let number = acknowledged + 1; number <= written; number += 1)
        socket.write(frame(`${token} #${number}`, number));
      open = socket;
    });
    socket.on('data', (data: Buffer) => {
      held = Buffer.concat([held, data]);
      for (; held.length >= 8; held = held.subarray(8))
        acknowledged = Math.max(acknowledged, Number(held.readBigUInt64BE(0)));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open = null;
      setTimeout(dial, 50).unref();
    });
  };
  dial();

  const timer = setInterval(() => {
    if (finishing || open === null) return;
    for (let i = 0; i < 5; i += 1) {
      written += 1;
      open.write(frame(`${token} #${written}`, written));
    }
  }, 20).unref();

  const abort = (): void => {
    ended = true;
    clearInterval(timer);
    open?.destroy();
  };
  return {
    async finish() {
      finishing = true;
      const pending = (): number => written - acknowledged;
      for (let waited = 0; pending() > 0; waited += 20) {
        if (waited > 60_000)
          throw new Error(`only ${acknowledged} of ${written} lines were acknowledged within 60 s`);
        await sleep(20);
      }
      abort();
      return acknowledged;
    },
    abort,
  };
};
