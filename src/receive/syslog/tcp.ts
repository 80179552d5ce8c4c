import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { encodeRecordHead, type Framing } from '#vault/record';
import type { IntakeWriter, PendingDelivery } from '#vault/intake';
import type { Admission } from '../admission.ts';
import type { Ledger } from '../ledger.ts';
import { bindAddress, bindError, hostPort, type Listener } from '../listener.ts';
import { cutFrames, type CarryBudget, type FrameRun } from './framing.ts';

export type SyslogTcpOptions = {
  host: string;
  /** 0 = any that is free. */
  port: number;
  intake: IntakeWriter;
  ledger: Ledger;
  clock: Clock;
  admission: Admission;
  budget: CarryBudget;
};

/** Runs of one connection that were read within this share one delivery, and so one receive time. */
const mergeWithin = 1000;
const mergeBytes = 1024 * 1024;

/**
 * Syslog over TCP (RFC 6587), without an acknowledgement: the protocol has none. Bytes go from the socket to intake
 * uninterpreted.
 * @throws ReceiveError
 */
export const listenSyslogTcp = async (options: SyslogTcpOptions): Promise<Listener> => {
  const { intake, ledger, clock, admission, budget } = options;
  const host = await bindAddress(options.host);
  const sockets = new Set<Socket>();
  let paused = false;
  let name = '';

  const serve = (socket: Socket): void => {
    const peer = hostPort(socket.remoteAddress ?? 'unknown', socket.remotePort ?? 0);
    const heads = new Map<Framing, Buffer>();
    let last: PendingDelivery | null = null;

    const headFor = (framing: Framing): Buffer => {
      let head = heads.get(framing);
      if (head === undefined) {
        head = encodeRecordHead({
          flags: 0,
          framing,
          received: clock.now(),
          sequence: 0,
          listener: name,
          peer,
          tlsName: '',
          stream: '',
          meta: '',
        });
        heads.set(framing, head);
      }
      return head;
    };

    const store = ({ framing, flags, pieces, length }: FrameRun): void => {
      const head = headFor(framing);
      const received = clock.now();
      if (
        last !== null &&
        !last.sealed &&
        last.head === head &&
        flags === 0 &&
        last.flags === 0 &&
        Math.abs(received - last.received) < mergeWithin &&
        last.bodyLength + length <= mergeBytes
      ) {
        intake.extend(last, pieces, length);
        return;
      }
      last = {
        head,
        received,
        sequence: 0,
        flags,
        body: pieces,
        bodyLength: length,
        durable: null,
        sealed: false,
      };
      intake.enqueue(last);
    };

    const frames = cutFrames(budget, store, () =>
      ledger.say({ kind: 'framing', cause: 'no octet count where one was due', listener: name, peer }),
    );
    socket.on('data', (chunk: Buffer) => frames.push(chunk));
    // A reset is followed by 'close', which stores what is left.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      admission.leave();
      frames.end();
    });
    if (paused) socket.pause();
  };

  const server = createServer({ keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
    if (!admission.enter()) {
      socket.destroy();
      ledger.lost('connection limit', name, 1);
      return;
    }
    sockets.add(socket);
    serve(socket);
  });

  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: unknown): void => reject(bindError(hostPort(host, options.port), cause));
    server.once('error', refuse);
    server.listen({ host, port: options.port, backlog: 4096 }, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  const bound = server.address();
  const address = hostPort(host, bound !== null && typeof bound === 'object' ? bound.port : options.port);
  name = `syslog-tcp=${address}`;

  return {
    name,
    address,
    pause() {
      paused = true;
      for (const socket of sockets) socket.pause();
    },
    resume() {
      paused = false;
      for (const socket of sockets) socket.resume();
    },
    async stop(forMs) {
      server.close();
      const gone = Promise.all([...sockets].map((socket) => once(socket, 'close')));
      // The end of our side tells the sender to stop; what is already on its way is still read.
      for (const socket of sockets) socket.end();
      const patience = new AbortController();
      await Promise.race([gone, wait(forMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
      patience.abort();
      for (const socket of sockets) socket.destroy();
      await gone;
    },
  };
};
