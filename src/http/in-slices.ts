import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { writesTo } from '#base/socket-writes';

/** Bytes that are parsed at once of what a connection has sent: some forty requests at the most. */
const sliceBytes = 1024;

/**
 * A connection of which an HTTP server is given no more than a slice in each turn of the event loop. Node parses all that
 * has come, thousands of requests from one read, before anything can end the connection; so here no more comes.
 */
export const inSlices = (socket: Socket): Duplex => {
  let rest: Buffer = Buffer.alloc(0);
  let isWaiting = false;

  const next = (): void => {
    isWaiting = true;
    setImmediate(() => {
      isWaiting = false;
      if (duplex.destroyed) return;
      const slice = rest.subarray(0, sliceBytes);
      rest = rest.subarray(slice.length);
      if (duplex.push(slice)) goOn();
    });
  };
  const goOn = (): void => {
    if (isWaiting) return;
    if (rest.length > 0) next();
    else socket.resume();
  };

  const duplex = new Duplex({
    allowHalfOpen: true,
    read: goOn,
    ...writesTo(socket),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    socket.pause();
    rest = chunk;
    next();
  });
  socket.pause();
  socket.on('end', () => duplex.push(null));
  socket.on('error', () => undefined);
  socket.on('close', () => duplex.destroy());
  // A peer that is gone is no fault of the server's.
  duplex.on('error', () => undefined);
  return duplex;
};
