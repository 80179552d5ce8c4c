import type { Clock, Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { OwnLog } from '#base/own-log';
import type { IntakeWriter } from '#vault/intake';
import type { OwnLine, OwnLines } from './own-line.ts';

/** Why something that was sent to a listener is not in the log. */
export type LossCause =
  /** The kernel had no room in the socket's buffer (last column of /proc/net/udp). */
  | 'kernel udp drop'
  /** More is waiting for the disk than may be held in memory. */
  | 'receiver congested'
  /** More connections than the limit. */
  | 'connection limit'
  /** Neither its address nor the name in its certificate is allowed. */
  | 'refused sender'
  /** It showed none that the authority has issued, and may not speak without. */
  | 'no certificate'
  | 'revoked certificate'
  /** Certificates were asked for more often than is answered. */
  | 'too many certificate requests'
  /** TLS did not come about. */
  | 'tls handshake'
  /** HTTP: no request by the rules of RFC 9112. */
  | 'malformed request'
  | 'request head too large'
  /** HTTP: it did not come in time. */
  | 'slow request'
  | 'too many requests ahead'
  | 'unknown path'
  | 'body too large'
  /** HTTP: the connection ended before the body did. Its sender was told nothing. */
  | 'torn body'
  /** A journal: bytes that are no entry of it. They are stored, and marked. */
  | 'torn entry'
  /** HTTP: sent back, because there is no space. */
  | 'disk full'
  /** RELP: the connection ended within a frame. What came is stored, and marked; its sender was told nothing. */
  | 'torn frame'
  /** RELP: bytes that are none. The connection was closed. */
  | 'no RELP'
  /** GELF: a message of which a chunk did not come in time. What came is stored, and marked. */
  | 'torn message';

/**
 * What the receiver itself has to say: lines of its own in the log, so that a loss is never silent. Losses are
 * counted and put out once a second, and held back while intake is congested: a flood cannot multiply itself.
 */
export type Ledger = {
  /** @param sender address, without its port; left out where nobody can tell */
  lost(cause: LossCause, listener: string, count: number, sender?: string): void;
  say(line: OwnLine): void;
  /** Counted since the start, by cause. */
  totals(): ReadonlyMap<LossCause, number>;
  /** Puts out what has been counted. */
  flush(): void;
  stop(): void;
};

const flushMs = 1000;
/** More senders than these are counted together, until the next line is put out: strangers choose their addresses. */
const mostSenders = 1000;

type Counted = { cause: LossCause; listener: string; sender: string | null; count: number; since: Micros };

/** @param onTick called once a second while there is space, after the losses were put out */
export const openLedger = (
  intake: IntakeWriter,
  own: OwnLines,
  clock: Clock,
  log: OwnLog,
  { holdAbove, onTick }: { holdAbove: number; onTick: () => void },
): Ledger => {
  const counts = new Map<string, Counted>();
  const totals = new Map<LossCause, number>();

  const say = (line: OwnLine): void => intake.enqueue(own.delivery([line]));

  const putOut = (): void => {
    const until = formatMicros(clock.now());
    for (const { cause, listener, sender, count, since } of counts.values()) {
      say({ kind: 'loss', cause, listener, sender, count, since: formatMicros(since), until });
      log('warning', `lost: ${count} on ${listener}${sender === null ? '' : ` from ${sender}`} (${cause})`);
    }
    counts.clear();
  };

  const timer = setInterval(() => {
    if (intake.space !== 'available' || intake.pendingBytes > holdAbove) return;
    putOut();
    onTick();
  }, flushMs);

  return {
    lost(cause, listener, count, sender) {
      totals.set(cause, (totals.get(cause) ?? 0) + count);
      const keyOf = (name: string | null): string => `${cause} ${listener} ${name ?? ''}`;
      const given = sender ?? null;
      const named = counts.has(keyOf(given)) || counts.size < mostSenders ? given : null;
      const known = counts.get(keyOf(named));
      if (known === undefined)
        counts.set(keyOf(named), { cause, listener, sender: named, count, since: clock.now() });
      else known.count += count;
    },
    say,
    totals: () => totals,
    flush: putOut,
    stop: () => clearInterval(timer),
  };
};
