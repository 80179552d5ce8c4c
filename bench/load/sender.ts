import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { openPieces, type Pieces } from './pieces.ts';
import { openRelpSession } from './relp.ts';

/**
 * The process that sends: `node sender.ts '{"path":…,"port":…,"connections":4,"transport":{"kind":"tcp"}}'`. It
 * connects, says `{"connected":true}`, waits for the line `go`, sends the file, and says `{"sent":{…}}` (see `Sent`)
 * when every connection has been closed by both sides. It stays until its standard input ends.
 *
 * The file is dealt out in pieces cut at line ends, the next one to whichever connection is free, so that the
 * connections run side by side as four relays would. It does nothing else: it must never be what holds a run back.
 */
export type Sent = {
  /** CLOCK_MONOTONIC in nanoseconds, as `process.hrtime.bigint()` gives it in every process of the machine. */
  started: string;
  /** The last byte is in the kernel's hands, or with RELP acknowledged. */
  written: string;
  closed: string;
  /** Of the file. */
  bytes: number;
};

export type Transport =
  | { kind: 'tcp' }
  /** The receiver's certificate is not verified. */
  | { kind: 'tls' }
  /** @param window lines that may wait for their acknowledgement on each connection */
  | { kind: 'relp'; window: number };

export type Order = { path: string; port: number; connections: number; transport: Transport };

/** One connection: sends pieces until there are no more, and closes. */
type Connection = { closed: Promise<unknown>; send(pieces: Pieces): Promise<void> };

const open = async (port: number, transport: Transport): Promise<Connection> => {
  const to = { port, host: '127.0.0.1', noDelay: true };
  const socket = transport.kind === 'tls' ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
  await once(socket, transport.kind === 'tls' ? 'secureConnect' : 'connect');
  const closed = once(socket, 'close');
  if (transport.kind === 'relp') {
    const session = await openRelpSession(socket, transport.window);
    return { closed, send: session.send };
  }
  socket.resume();
  return { closed, send: (pieces) => write(socket, pieces) };
};

const write = async (socket: Socket, pieces: Pieces): Promise<void> => {
  const buffer = pieces.buffer();
  for (let piece = pieces.next(buffer); piece.length > 0; piece = pieces.next(buffer)) {
    await new Promise<void>((resolve, reject) => {
      socket.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.end();
};

const send = async (order: Order, connections: readonly Connection[]): Promise<Sent> => {
  const pieces = openPieces(order.path);
  const started = process.hrtime.bigint();
  await Promise.all(connections.map((connection) => connection.send(pieces)));
  const written = process.hrtime.bigint();
  await Promise.all(connections.map(({ closed }) => closed));
  pieces.close();
  return {
    started: String(started),
    written: String(written),
    closed: String(process.hrtime.bigint()),
    bytes: pieces.taken(),
  };
};

const order: Order = JSON.parse(process.argv[2] ?? '{}');
const connections = await Promise.all(
  Array.from({ length: order.connections }, () => open(order.port, order.transport)),
);
process.stdin.on('end', () => process.exit(0));
createInterface({ input: process.stdin }).once('line', () => {
  void send(order, connections).then((sent) => process.stdout.write(`${JSON.stringify({ sent })}\n`));
});
process.stdout.write(`${JSON.stringify({ connected: true })}\n`);
