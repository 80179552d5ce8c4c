import type { Socket } from 'node:net';
import type { DuplexOptions } from 'node:stream';

/** The writing half of a stream that stands for a socket: all goes through, and what comes together goes out together. */
export const writesTo = (socket: Socket): Required<Pick<DuplexOptions, 'write' | 'writev'>> => ({
  write: (chunk: Buffer, encoding, done) => void socket.write(chunk, encoding, done),
  writev(chunks, done) {
    socket.cork();
    for (const [i, { chunk, encoding }] of chunks.entries())
      socket.write(chunk, encoding, i === chunks.length - 1 ? done : undefined);
    socket.uncork();
  },
});
