import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { createServer as createTlsServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { ListenerKind } from '#wire/listen';
import type { Admission } from './admission.ts';
import type { Gate } from './gate.ts';
import type { Ledger } from './ledger.ts';
import { bindAddress, bindError, hostPort, type Listener } from './listener.ts';
import { certificateName, type TlsIdentity } from './tls-identity.ts';

/** Who is at the other end of a connection. */
export type Peer = {
  /** `HOST:PORT` */
  peer: string;
  /** Without its port. */
  address: string;
  /** From a certificate that was verified; `''` = none was shown. */
  tlsName: string;
  /** It may not speak, and the protocol is left to say so (`uncertified`); else `null`. */
  refused: 'no certificate' | null;
};

/** What a protocol does with one connection. */
export type Conversation = {
  /** Bytes as they came. They are its own to keep. */
  push(chunk: Buffer): void;
  /** The connection is over, in whatever way. */
  end(): void;
  /** At a stop: says goodbye where the protocol has a way to, and settles when nothing is left to be answered. */
  finish?(): Promise<void>;
};

export type StreamServerOptions = {
  kind: ListenerKind;
  host: string;
  /** 0 = any that is free. */
  port: number;
  /** `null`: without TLS. */
  tls: TlsIdentity | null;
  gate: Gate;
  admission: Admission;
  ledger: Ledger;
  /** Whether one without the certificate that it needs is cut off, or is left to the protocol. */
  uncertified?: 'refuse' | 'converse';
  /** @param name of the listener, as in the records */
  converse(socket: Socket, peer: Peer, name: string): Conversation;
};

const handshakeMs = 10_000;
/** How often it is looked whether a certificate has ended on a connection that lasts. */
const expiryEveryMs = 60_000;

/**
 * A TCP listener, with or without TLS. Connections beyond the limit, and of those who may not speak, are closed before a
 * byte of them is read, and counted.
 * @throws ReceiveError
 */
export const listenStream = async (options: StreamServerOptions): Promise<Listener> => {
  const { kind, tls, gate, admission, ledger } = options;
  const host = await bindAddress(options.host);
  const sockets = new Map<Socket, Conversation>();
  const addresses = new Map<Socket, string>();
  /** Certificates of the connections that showed one: it may be revoked, or end, while they last. */
  const certificates = new Map<Socket, PeerCertificate>();
  /** TLS that has not come about yet. */
  const entering = new Set<Socket>();
  let paused = false;
  let stopping = false;
  let expiry: NodeJS.Timeout | null = null;
  let name = '';

  const begin = (socket: Socket, tlsName: string, refused: Peer['refused'] = null): void => {
    const address = socket.remoteAddress ?? 'unknown';
    const peer = hostPort(address, socket.remotePort ?? 0);
    const conversation = options.converse(socket, { peer, address, tlsName, refused }, name);
    sockets.set(socket, conversation);
    addresses.set(socket, address);
    socket.on('data', (chunk: Buffer) => conversation.push(chunk));
    // What TLS finds wrong leaves the connection open by itself. 'close' stores what is left.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      addresses.delete(socket);
      certificates.delete(socket);
      conversation.end();
    });
    if (paused) socket.pause();
  };

  /** Counts it in, or closes it. */
  const enter = (socket: Socket): boolean => {
    // Later it would not be known any more: a socket that is reset forgets who was there.
    const address = socket.remoteAddress ?? '';
    const refused =
      tls === null && !gate.admitsAddress(address) ? 'refused sender' : admission.enter(address);
    if (refused === null) {
      socket.on('close', () => admission.leave(address));
      return true;
    }
    ledger.lost(refused, name, 1, socket.remoteAddress);
    socket.destroy();
    return false;
  };

  const secured = (socket: TLSSocket, identity: TlsIdentity): void => {
    const certificate = socket.authorized ? socket.getPeerCertificate() : null;
    const tlsName = certificate === null ? '' : certificateName(certificate);
    const why =
      certificate === null
        ? gate.admitsAddress(socket.remoteAddress ?? '') && gate.certificates === 'optional'
          ? null
          : 'no certificate'
        : identity.isRevoked(certificate)
          ? 'revoked certificate'
          : gate.admitsName(tlsName)
            ? null
            : 'refused sender';
    if (why === null) {
      if (certificate !== null) certificates.set(socket, certificate);
      return begin(socket, tlsName);
    }
    if (why === 'no certificate' && options.uncertified === 'converse') return begin(socket, '', why);
    ledger.lost(why, name, 1, socket.remoteAddress);
    socket.on('error', () => undefined);
    socket.destroy();
  };

  const server = tls === null ? plainServer() : tlsServer(tls);

  function plainServer(): Server {
    return createServer({ keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
      if (enter(socket)) begin(socket, '');
    });
  }

  function tlsServer(identity: TlsIdentity): Server {
    const made = createTlsServer({
      ...identity.context,
      requestCert: true,
      // Judged above, so that each refusal has its reason in the ledger.
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    /** Who has not come through the handshake, by address and port: also one that goes away within it is counted. */
    const shaking = new Set<string>();
    const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
    // The TLS server wraps what comes here; a connection that is refused never begins a handshake.
    made.prependListener('connection', (socket) => {
      const key = keyOf(socket);
      const address = socket.remoteAddress;
      if (!enter(socket)) return;
      entering.add(socket);
      shaking.add(key);
      socket.on('close', () => {
        entering.delete(socket);
        if (shaking.delete(key)) ledger.lost('tls handshake', name, 1, address);
      });
    });
    // Node says that the time for a handshake is over, and leaves it at that.
    made.on('tlsClientError', (_, socket) => void socket.destroy());
    made.on('secureConnection', (socket) => {
      shaking.delete(keyOf(socket));
      if (stopping) socket.destroy();
      else secured(socket, identity);
    });
    identity.onChange((context) => {
      made.setSecureContext(context);
      endOutdated(identity);
    });
    expiry = setInterval(() => endOutdated(identity), expiryEveryMs);
    expiry.unref();
    return made;
  }

  /** Ends connections whose certificate would not be let in any more. */
  function endOutdated(identity: TlsIdentity): void {
    for (const [socket, certificate] of certificates) {
      const why = identity.isRevoked(certificate)
        ? 'revoked certificate'
        : Date.parse(certificate.valid_to) < Date.now()
          ? 'no certificate'
          : null;
      if (why === null) continue;
      ledger.lost(why, name, 1, addresses.get(socket));
      socket.destroy();
    }
  }

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
  name = `${kind}=${address}`;

  return {
    name,
    address,
    pause() {
      paused = true;
      for (const socket of sockets.keys()) socket.pause();
    },
    resume() {
      paused = false;
      for (const socket of sockets.keys()) socket.resume();
    },
    senders() {
      const connections = new Map<string, number>();
      for (const from of addresses.values()) connections.set(from, (connections.get(from) ?? 0) + 1);
      return connections;
    },
    async stop(forMs) {
      stopping = true;
      if (expiry !== null) clearInterval(expiry);
      server.close();
      const gone = Promise.all([...sockets.keys()].map((socket) => once(socket, 'close')));
      // The end of our side tells the sender to stop; what is already on its way is still read.
      for (const [socket, conversation] of sockets) {
        void (conversation.finish?.() ?? Promise.resolve()).then(() => socket.end());
      }
      const patience = new AbortController();
      await Promise.race([gone, wait(forMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
      patience.abort();
      for (const socket of sockets.keys()) socket.destroy();
      for (const socket of entering) socket.destroy();
      await gone;
    },
  };
};
