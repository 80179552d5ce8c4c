import { readFileSync } from 'node:fs';
import type { Clock } from '#base/clock';
import { networkOf } from '#base/network';
import type { LedgerCause } from './ledger.ts';
import { openBucket, type Bucket } from './bucket.ts';

export type AdmissionLimits = {
  /** Connections of all listeners. */
  connections: number;
  /** Of one sender: an IPv4 address, or an IPv6 /64. */
  ofSender: number;
  /** New connections a second of one sender; four seconds' worth at once. */
  connectsOfSender: number;
};

/** Counts connections of all listeners against one limit, and against one for each sender: none can take all. */
export type Admission = {
  /**
   * `null`: it is counted in, and `leave()` is due when it is closed. Else why it is to be refused.
   * @param address of the peer, without its port
   */
  enter(address: string): LedgerCause | null;
  leave(address: string): void;
};

type Sender = { open: number; connects: Bucket };

const burstSeconds = 4;
/** Addresses kept in mind before those with nothing open are forgotten. */
const mostIdle = 4096;

export const openAdmission = (limits: AdmissionLimits, clock: Pick<Clock, 'elapsed'>): Admission => {
  const senders = new Map<string, Sender>();
  let open = 0;

  const senderOf = (network: string): Sender => {
    let sender = senders.get(network);
    if (sender === undefined) {
      if (senders.size >= mostIdle + limits.connections) forgetIdle();
      sender = { open: 0, connects: openBucket(limits.connectsOfSender, burstSeconds, clock) };
      senders.set(network, sender);
    }
    return sender;
  };

  const forgetIdle = (): void => {
    for (const [network, sender] of senders) if (sender.open === 0) senders.delete(network);
  };

  return {
    enter(address) {
      const sender = senderOf(networkOf(address));
      if (!sender.connects.take()) return 'sender connects';
      if (open >= limits.connections) return 'connection limit';
      if (sender.open >= limits.ofSender) return 'sender connections';
      open += 1;
      sender.open += 1;
      return null;
    },
    leave(address) {
      open -= 1;
      const sender = senders.get(networkOf(address));
      if (sender !== undefined) sender.open -= 1;
    },
  };
};

/** Descriptors that the receiver needs besides its connections: intake, listeners, /proc, Node's own. */
const reserved = 128;

/**
 * `wanted`, or what the limit on open files (RLIMIT_NOFILE, soft; proc_pid_limits(5)) leaves: beyond that libuv
 * would close connections without a word.
 */
export const connectionLimit = (wanted: number): number =>
  Math.max(16, Math.min(wanted, openFiles() - reserved));

/** 1024, the usual soft limit, where /proc cannot be read. */
const openFiles = (): number => {
  try {
    const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match?.[1] === 'unlimited' ? Infinity : Number(match?.[1] ?? 1024);
  } catch {
    return 1024;
  }
};
