import { hostname } from 'node:os';
import type { Clock, Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { OwnLog } from '#base/own-log';
import { encodeRecordHead, Framing } from '#vault/record';
import type { IntakeWriter } from '#vault/intake';
import type { LineMeta } from '#wire/own';
import { encodeOwnFrame } from './own/frame.ts';

/** Why something that was sent to a listener is not in the log. */
export type LossCause =
  /** The kernel had no room in the socket's buffer (last column of /proc/net/udp). */
  | 'kernel udp drop'
  /** More is waiting for the disk than may be held in memory. */
  | 'receiver congested'
  /** More connections than the limit. */
  | 'connection limit';

/**
 * What the receiver itself has to say: lines of its own in the log, so that a loss is never silent. Losses are
 * counted and put out once a second, and held back while intake is congested: a flood cannot multiply itself.
 */
export type Ledger = {
  lost(cause: LossCause, listener: string, count: number): void;
  say(line: { kind: string } & Record<string, unknown>): void;
  /** Puts out what has been counted. */
  flush(): void;
  stop(): void;
};

const flushMs = 1000;

export const openLedger = (intake: IntakeWriter, clock: Clock, log: OwnLog, holdAbove: number): Ledger => {
  const head = encodeRecordHead({
    flags: 0,
    framing: Framing.own,
    received: clock.now(),
    sequence: 0,
    listener: 'receiver',
    peer: 'receiver',
    tlsName: '',
    stream: '',
    meta: '',
  });
  const self: LineMeta = { via: 'self', host: hostname() };
  const meta = Buffer.from(JSON.stringify(self));
  const counts = new Map<string, { cause: LossCause; listener: string; count: number; since: Micros }>();

  const say = (line: { kind: string } & Record<string, unknown>): void => {
    const frame = encodeOwnFrame(0, meta, Buffer.from(JSON.stringify(line)));
    intake.enqueue({
      head,
      received: clock.now(),
      sequence: 0,
      flags: 0,
      body: [frame],
      bodyLength: frame.length,
      durable: null,
      sealed: false,
    });
  };

  const putOut = (): void => {
    const until = formatMicros(clock.now());
    for (const { cause, listener, count, since } of counts.values()) {
      say({ kind: 'loss', cause, listener, count, since: formatMicros(since), until });
      log('warning', `lost: ${count} on ${listener} (${cause})`);
    }
    counts.clear();
  };

  const timer = setInterval(() => {
    if (intake.space === 'available' && intake.pendingBytes <= holdAbove) putOut();
  }, flushMs);

  return {
    lost(cause, listener, count) {
      const key = `${cause} ${listener}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { cause, listener, count, since: clock.now() });
      else known.count += count;
    },
    say,
    flush: putOut,
    stop: () => clearInterval(timer),
  };
};
