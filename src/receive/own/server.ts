import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { IntakeWriter } from '#vault/intake';
import { ReceiveError } from '../errors.ts';
import type { Listener } from '../listener.ts';
import type { Conversation } from '../stream-server.ts';
import { serveOwnSender } from './sender.ts';
import { clearSocketPath } from './socket-file.ts';

export type OwnServerOptions = {
  /** `run/own.sock` */
  path: string;
  intake: IntakeWriter;
  clock: Clock;
  log: OwnLog;
};

/** Holdfast's own processes are few; more connections than this are a fault of one of them. */
const maxSenders = 64;

/**
 * The one way in for what Holdfast's own processes have to say: protocol in src/wire/own.ts. The socket has mode 0660.
 * @throws ReceiveError
 */
export const listenOwn = async (options: OwnServerOptions): Promise<Listener> => {
  const { path, intake, clock, log } = options;
  await clearSocketPath(path);
  const senders = new Map<Socket, Required<Conversation>>();
  let paused = false;

  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const sender = serveOwnSender(socket, {
      intake,
      clock,
      identity: (hello) => ({ listener: 'own', peer: hello.sender, tlsName: '', stream: hello.stream }),
      onRefusal: (why) => log('error', `own.sock: ${why}`),
    });
    senders.set(socket, sender);
    socket.on('data', (chunk: Buffer) => sender.push(chunk));
    socket.on('close', () => {
      senders.delete(socket);
      sender.end();
    });
    if (paused) socket.pause();
  });
  server.maxConnections = maxSenders;
  server.on('drop', () => log('warning', `${path}: more than ${maxSenders} senders, one was refused`));

  // bind(2) makes the file with the mode that the umask leaves: set before, it is never open to others.
  const umask = process.umask(0o117);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening').catch((cause: unknown) => {
    throw new ReceiveError(
      'own-socket-path',
      `cannot listen on ${path}: ${messageOf(cause)}. The directory must exist and belong to the receiver's user`,
      { cause },
    );
  });

  return {
    name: 'own',
    address: path,
    pause() {
      paused = true;
      for (const socket of senders.keys()) socket.pause();
    },
    resume() {
      paused = false;
      for (const socket of senders.keys()) socket.resume();
    },
    senders: () => new Map(senders.size === 0 ? [] : [['own', senders.size]]),
    async stop(forMs) {
      server.close();
      const gone = Promise.all([...senders.keys()].map((socket) => once(socket, 'close')));
      const patience = new AbortController();
      const enough = wait(forMs, undefined, { signal: patience.signal }).catch(() => undefined);
      // Everything that was taken is acknowledged before the connection ends.
      const settled = Promise.all([...senders.values()].map((sender) => sender.finish()));
      await Promise.race([settled.then(() => gone), enough]);
      patience.abort();
      for (const socket of senders.keys()) socket.destroy();
      await gone;
    },
  };
};
