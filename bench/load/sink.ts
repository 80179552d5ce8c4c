import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Transport } from './sender.ts';

/**
 * Reads and drops: `node sink.ts '{"transport":…,"key":…,"certificate":…}'` says `{"sink":PORT}` and stays until its
 * standard input ends. What the sender comes to against it is the most that it can send. RELP is answered without being
 * looked at: an answer for each line feed, which is one for each line of the corpus.
 */
export type SinkOrder = { transport: Transport; key: string; certificate: string };

const order: SinkOrder = JSON.parse(process.argv[2] ?? '{}');

const drop = (socket: Socket): void => {
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  if (order.transport.kind === 'relp') answer(socket);
  else socket.resume();
};

const answer = (socket: Socket): void => {
  let txnr = 0;
  /** Line feeds of `open` that end no frame. */
  let inside = 2;
  socket.on('data', (chunk: Buffer) => {
    let text = '';
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) {
      if (inside > 0) {
        inside -= 1;
        continue;
      }
      txnr += 1;
      text += `${txnr} rsp 6 200 OK\n`;
    }
    socket.write(text, 'latin1');
  });
};

const server =
  order.transport.kind === 'tls'
    ? createTlsServer({ key: readFileSync(order.key), cert: readFileSync(order.certificate) }, drop)
    : createServer(drop);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ sink: typeof address === 'object' && address !== null ? address.port : 0 })}\n`,
  );
});
process.stdin.on('end', () => process.exit(0)).resume();
