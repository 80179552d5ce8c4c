import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { writesTo } from '#base/socket-writes';

/** What an HTTP server is given instead of the socket: it gets no more of it at once than it may. */
export type HttpConnection = {
  duplex: Duplex;
  push(chunk: Buffer): void;
  /** The socket is closed. */
  end(): void;
  /** Says goodbye: what is being written still goes out, what comes is not looked at any more. */
  close(): void;
};

/**
 * Bytes parsed in one turn of the event loop: outside a body, where they may be some forty requests, and within one.
 * Node parses all that it is given before anything can end the connection, or another one has its turn.
 */
const sliceOutside = 1024;
/** A body that comes in crumbs (a chunk of one byte costs as much as one of thousands) is given the least. */
const sliceLeast = 512;
const sliceMost = 16 * 1024;
const mostPieces = 64;
/** And has its next turn after so many milliseconds. */
const crumbsMs = 5;
/** How long one that was told to go may still send: a reset would take the answer away from under its eyes. */
const lingerMs = 2000;

/** @param pieces how many pieces of its body the last slice was; `null` = what comes next belongs to no body */
export const httpConnection = (socket: Socket, pieces: () => number | null): HttpConnection => {
  let within = sliceMost;
  let rest: Buffer = Buffer.alloc(0);
  let isWaiting = false;
  let isClosing = false;

  const give = (size: number): void => {
    isWaiting = false;
    if (duplex.destroyed || isClosing) return;
    const slice = rest.subarray(0, size);
    rest = rest.subarray(slice.length);
    if (duplex.push(slice)) goOn();
  };
  const next = (): void => {
    isWaiting = true;
    const count = pieces();
    if (count !== null) within = count > mostPieces ? sliceLeast : Math.min(within * 2, sliceMost);
    if (count !== null && count > mostPieces) setTimeout(() => give(within), crumbsMs);
    else setImmediate(() => give(pieces() === null ? sliceOutside : within));
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
    final(done) {
      isClosing = true;
      rest = Buffer.alloc(0);
      socket.resume();
      setTimeout(() => socket.destroy(), lingerMs).unref();
      socket.end(done);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  // A peer that is gone is no fault of the server's.
  duplex.on('error', () => undefined);
  socket.on('end', () => {
    if (!duplex.destroyed && !isClosing && rest.length === 0) duplex.push(null);
  });

  return {
    duplex,
    push(chunk) {
      if (isClosing) return;
      socket.pause();
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (!isWaiting) next();
    },
    end: () => void duplex.destroy(),
    close: () => void duplex.end(),
  };
};
