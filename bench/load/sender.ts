import { closeSync, openSync, readSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * The process that sends: `node sender.ts '{"path":…,"port":…,"connections":4}'`. It connects, says
 * `{"connected":true}`, waits for the line `go`, sends the file, and says `{"sent":{…}}` (see `Sent`) when every
 * connection has been closed by both sides. It stays until its standard input ends.
 *
 * The file is dealt out in pieces cut at line ends, the next one to whichever connection is free, so that the
 * connections run side by side as four relays would. It does nothing else: it must never be what holds a run back.
 */
export type Sent = {
  /** CLOCK_MONOTONIC in nanoseconds, as `process.hrtime.bigint()` gives it in every process of the machine. */
  started: string;
  /** The last byte is in the kernel's hands. */
  written: string;
  closed: string;
  bytes: number;
};

export type Order = { path: string; port: number; connections: number };

const pieceBytes = 512 * 1024;
const LF = 0x0a;

const open = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.resume();
  await once(socket, 'connect');
  return socket;
};

const send = async (order: Order, sockets: readonly Socket[]): Promise<Sent> => {
  const file = openSync(order.path, 'r');
  let offset = 0;
  const next = (buffer: Buffer): Buffer => {
    const read = readSync(file, buffer, 0, pieceBytes, offset);
    const cut = buffer.lastIndexOf(LF, read - 1) + 1;
    if (read > 0 && (cut === 0 || cut > read))
      throw new Error(`no line ends in ${read} bytes at ${offset} of ${order.path}`);
    offset += read === 0 ? 0 : cut;
    return buffer.subarray(0, read === 0 ? 0 : cut);
  };
  const started = process.hrtime.bigint();
  const closing = sockets.map((socket) => once(socket, 'close'));
  await Promise.all(
    sockets.map(async (socket) => {
      const buffer = Buffer.allocUnsafeSlow(pieceBytes);
      for (let piece = next(buffer); piece.length > 0; piece = next(buffer)) {
        await new Promise<void>((resolve, reject) => {
          socket.write(piece, (error) => (error ? reject(error) : resolve()));
        });
      }
      socket.end();
    }),
  );
  const written = process.hrtime.bigint();
  await Promise.all(closing);
  closeSync(file);
  return {
    started: String(started),
    written: String(written),
    closed: String(process.hrtime.bigint()),
    bytes: offset,
  };
};

const order: Order = JSON.parse(process.argv[2] ?? '{}');
const sockets = await Promise.all(Array.from({ length: order.connections }, () => open(order.port)));
process.stdin.on('end', () => process.exit(0));
createInterface({ input: process.stdin }).once('line', () => {
  void send(order, sockets).then((sent) => process.stdout.write(`${JSON.stringify({ sent })}\n`));
});
process.stdout.write(`${JSON.stringify({ connected: true })}\n`);
