import type { Clock, Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { OwnLog } from '#base/own-log';
import { ledgerCauses, type LedgerCause } from '#wire/ledger';
import type { IntakeWriter } from '#vault/intake';
import type { OwnLine, OwnLines } from './own-line.ts';

export type { LedgerCause } from '#wire/ledger';

/**
 * What the receiver itself has to say: lines of its own in the log (src/wire/ledger.ts), so that nothing that was lost,
 * torn or refused is passed over. It is counted and put out once a second, and held back while intake is congested; of
 * many senders the later ones are counted together: a flood cannot multiply itself.
 */
export type Ledger = {
  /**
   * @param sender address, without its port; left out where nobody can tell
   * @param bytes of it that came, where a part did
   */
  lost(cause: LedgerCause, listener: string, count: number, sender?: string, bytes?: number): void;
  say(line: OwnLine): void;
  /** Counted since the start, by cause. */
  totals(): ReadonlyMap<LedgerCause, number>;
  /** Puts out what has been counted. */
  flush(): void;
  stop(): void;
};

const flushMs = 1000;
/** Lines that name a sender, at most so many at once and in a minute: strangers choose their addresses. */
const mostNamed = 1000;

type Counted = {
  cause: LedgerCause;
  listener: string;
  sender: string | null;
  count: number;
  bytes: number;
  since: Micros;
};

/** @param onTick called once a second while there is space, after what was counted is put out */
export const openLedger = (
  intake: IntakeWriter,
  own: OwnLines,
  clock: Clock,
  log: OwnLog,
  { holdAbove, onTick }: { holdAbove: number; onTick: () => void },
): Ledger => {
  const counts = new Map<string, Counted>();
  const totals = new Map<LedgerCause, number>();
  let mayName = mostNamed;
  let refilled = clock.elapsed();

  const say = (line: OwnLine): void => intake.enqueue(own.delivery([line]));

  const putOut = (): void => {
    const now = clock.elapsed();
    mayName = Math.min(mostNamed, mayName + ((now - refilled) * mostNamed) / 60_000);
    refilled = now;
    const until = formatMicros(clock.now());
    for (const { cause, listener, sender, count, bytes, since } of counts.values()) {
      const { kind } = ledgerCauses[cause];
      const came = bytes > 0 ? { bytes } : {};
      say({ kind, cause, listener, sender, count, ...came, since: formatMicros(since), until });
      log(
        'warning',
        `${kind}: ${count} on ${listener}${sender === null ? '' : ` from ${sender}`} (${cause})`,
      );
      if (sender !== null) mayName -= 1;
    }
    counts.clear();
  };

  const timer = setInterval(() => {
    if (intake.space !== 'available' || intake.pendingBytes > holdAbove) return;
    putOut();
    onTick();
  }, flushMs);

  return {
    lost(cause, listener, count, sender, bytes = 0) {
      totals.set(cause, (totals.get(cause) ?? 0) + count);
      const keyOf = (name: string | null): string => `${cause} ${listener} ${name ?? ''}`;
      const given = sender === undefined ? null : plainAddress(sender);
      const named = counts.has(keyOf(given)) || counts.size < mayName ? given : null;
      const known = counts.get(keyOf(named));
      if (known === undefined)
        counts.set(keyOf(named), { cause, listener, sender: named, count, bytes, since: clock.now() });
      else {
        known.count += count;
        known.bytes += bytes;
      }
    },
    say,
    totals: () => totals,
    flush: putOut,
    stop: () => clearInterval(timer),
  };
};

/** As in the index: an IPv4 peer of a dual-stack socket is written as IPv4. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');
