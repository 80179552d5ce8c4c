import type { Socket } from 'node:net';
import { networkOf } from '#base/network';

/**
 * What a server listens on. Said by whoever makes it listen, and never concluded from a connection: one that its peer
 * reset before it was accepted has no address, over TCP as on a unix socket, and can still be read from.
 */
export type Transport = 'unix' | 'tcp';

/** Who is counted together. */
export type Peer = {
  over: Transport;
  /** Over TCP an IPv4 address, or an IPv6 /64 (one host has them all); over a unix socket all are one. */
  name: string;
};

/** @returns `null` for a TCP connection that is gone already: nobody knows whose it was */
export const peerOf = (over: Transport, { remoteAddress }: Pick<Socket, 'remoteAddress'>): Peer | null => {
  if (over === 'unix') return { over, name: 'local' };
  return remoteAddress === undefined || remoteAddress === ''
    ? null
    : { over, name: networkOf(remoteAddress) };
};

/** This machine itself: a proxy in front is one peer. */
const isThisMachine = ({ over, name }: Peer): boolean =>
  over === 'unix' || name.startsWith('127.') || name === '0:0:0:0::/64';

/** Counts connections, so that one stranger cannot take them all; this machine may have as many as there are. */
export type PeerBound = {
  /** Whether a peer may have one more; if so, it is counted until `socket` closes. */
  admits(socket: Socket, peer: Peer): boolean;
};

export const openPeerBound = (most: number): PeerBound => {
  const open = new Map<string, number>();
  return {
    admits(socket, peer) {
      if (isThisMachine(peer)) return true;
      const { name } = peer;
      const count = (open.get(name) ?? 0) + 1;
      if (count > most) return false;
      open.set(name, count);
      socket.once('close', () => {
        const left = (open.get(name) ?? 1) - 1;
        if (left > 0) open.set(name, left);
        else open.delete(name);
      });
      return true;
    },
  };
};
