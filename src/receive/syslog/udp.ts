import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { encodeRecordHead, Framing } from '#vault/record';
import type { IntakeWriter } from '#vault/intake';
import { deliveryStream } from '../delivery-stream.ts';
import type { Gate } from '../gate.ts';
import type { Ledger } from '../ledger.ts';
import type { Share, Shares } from '../shares.ts';
import { bindAddress, bindError, hostPort, type Listener } from '../listener.ts';
import { datagramTurn, type TurnOf } from './datagram-turn.ts';
import { readKernelDrops } from './kernel-drops.ts';
import { knownPeers } from './known-peers.ts';

/** What a datagram gives: at once, or with others that came before it. */
export type Joined = { pieces: Buffer[]; flags: number };

export type DatagramOptions = {
  kind: 'syslog-udp' | 'gelf-udp';
  /** What is known of each line beside its bytes (JSON), `''` = nothing. */
  meta: string;
  /**
   * Puts together what was sent in several datagrams; without it each is a line.
   * @param later stores what was given up for incomplete
   */
  join?: (later: (joined: Joined, peer: string) => void) => {
    take(datagram: Buffer, peer: string): Joined | null;
    stop(): void;
  };
  host: string;
  /** 0 = any that is free. */
  port: number;
  intake: IntakeWriter;
  ledger: Ledger;
  clock: Clock;
  gate: Gate;
  log: OwnLog;
  /** Bytes asked of the kernel for datagrams that wait to be read; it gives at most net.core.rmem_max. */
  receiveBuffer: number;
  /** Who may be heard when more comes than the disk takes. */
  shares: Shares;
};

/** @property key address and port, as `join` knows a sender */
type Sender = TurnOf & { address: string; key: string; head: Buffer; share: Share };

const watchMs = 1000;

/**
 * Syslog over UDP (RFC 5426): each datagram is one line, whatever is in it. What one sender sent within a millisecond
 * shares one delivery, and so one receive time.
 * @throws ReceiveError
 */
export const listenSyslogUdp = (
  options: Omit<DatagramOptions, 'kind' | 'meta' | 'join'>,
): Promise<Listener> => listenDatagrams({ ...options, kind: 'syslog-udp', meta: '' });

/** @throws ReceiveError */
export const listenDatagrams = async (options: DatagramOptions): Promise<Listener> => {
  const { intake, ledger, clock, gate, log, receiveBuffer, shares } = options;
  const host = await bindAddress(options.host);
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: receiveBuffer });
  let name = '';
  let received = 0;

  /** `null`: this sender may not speak. */
  const peers = knownPeers((address, port): Sender | null => {
    if (!gate.admitsAddress(address)) return null;
    const peer = hostPort(address, port);
    return {
      address,
      key: `${address} ${port}`,
      share: shares.of(address),
      head: encodeRecordHead({
        flags: 0,
        framing: Framing.datagram,
        received: clock.now(),
        sequence: 0,
        listener: name,
        peer,
        tlsName: '',
        stream: '',
        meta: options.meta,
      }),
      store: deliveryStream(intake, clock, name, { peer, tlsName: '' }, options.meta),
      datagrams: [],
      bytes: 0,
    };
  });
  const turn = datagramTurn();

  const storeJoined = ({ head }: Sender, { pieces, flags }: Joined): void =>
    intake.enqueue({
      head,
      received: clock.now(),
      sequence: 0,
      flags,
      body: pieces,
      bodyLength: pieces.reduce((sum, piece) => sum + piece.length, 0),
      durable: null,
      sealed: false,
    });

  const joining =
    options.join?.((joined, key) => {
      const space = key.lastIndexOf(' ');
      const sender = peers.of(key.slice(0, space), Number(key.slice(space + 1)));
      if (sender === null) return;
      ledger.lost('torn message', name, 1, sender.address);
      storeJoined(sender, joined);
    }) ?? null;

  socket.on('message', (datagram, { address, port }) => {
    received += 1;
    const sender = peers.of(address, port);
    if (sender === null) return ledger.lost('refused sender', name, 1, address);
    const why = shares.take(sender.share, datagram.length, intake.pendingBytes);
    if (why !== null) return ledger.lost(why, name, 1, address);
    if (joining === null) return turn.add(sender, datagram);
    const joined = joining.take(datagram, sender.key);
    if (joined !== null) storeJoined(sender, joined);
  });

  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: unknown): void => reject(bindError(hostPort(host, options.port), cause));
    socket.once('error', refuse);
    socket.bind({ address: host, port: options.port, exclusive: true }, () => {
      socket.off('error', refuse);
      resolve();
    });
  });
  socket.on('error', (error) => log('error', `${name}: ${error.message}`));
  const { port } = socket.address();
  const address = hostPort(host, port);
  name = `${options.kind}=${address}`;
  warnOfSmallBuffer(name, receiveBuffer, socket.getRecvBufferSize(), log);

  let dropped = 0;
  let blind = false;
  const look = async (): Promise<void> => {
    const drops = await readKernelDrops(host, port);
    if (drops.result === 'could-not-look') {
      if (!blind) {
        for (const reason of drops.couldNotLook) {
          ledger.say({ kind: 'could-not-look', listener: name, ...reason });
          log('warning', `could not look at ${reason.what}: ${reason.why}. Remedy: ${reason.remedy}`);
        }
      }
      blind = true;
      return;
    }
    blind = false;
    const now = drops.result === 'found' ? drops.value : 0;
    if (now > dropped) ledger.lost('kernel udp drop', name, now - dropped);
    dropped = now;
  };
  const watch = setInterval(() => void look(), watchMs);

  return {
    name,
    address,
    pause: () => undefined,
    resume: () => undefined,
    senders: () => new Map(),
    async stop(forMs) {
      clearInterval(watch);
      const began = clock.elapsed();
      let before: number;
      do {
        before = received;
        await new Promise((resolve) => setTimeout(resolve, 20));
      } while (received > before && clock.elapsed() - began < forMs);
      joining?.stop();
      await look();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      turn.end();
    },
  };
};

/** SO_RCVBUF as getsockopt tells it is twice what was granted (socket(7)). */
const warnOfSmallBuffer = (name: string, asked: number, told: number, log: OwnLog): void => {
  const granted = told / 2;
  if (granted >= asked) return;
  const most = rmemMax();
  log(
    'warning',
    `${name}: the kernel grants a receive buffer of ${granted} bytes where ${asked} were asked (net.core.rmem_max is ` +
      `${most}); bursts beyond it are lost, and counted. Remedy: sysctl -w net.core.rmem_max=${asked}, then restart`,
  );
};

const rmemMax = (): string => {
  try {
    return readFileSync('/proc/sys/net/core/rmem_max', 'utf8').trim();
  } catch (error) {
    return `not to be read: ${messageOf(error)}`;
  }
};
