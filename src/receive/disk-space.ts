import { statfsSync } from 'node:fs';
import type { Clock, Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { OwnLog } from '#base/own-log';
import type { IntakeReserve, IntakeSpace, PendingDelivery } from '#vault/intake';
import { headListener } from './head-listener.ts';
import type { Ledger, LedgerCause } from './ledger.ts';
import type { OwnLine, OwnLines } from './own-line.ts';
import { datagramsIn } from './syslog/datagram-turn.ts';

/**
 * What the receiver says of a full disk, each once, in the log and on its own:
 *
 *     {"kind":"disk-full","path":…,"free":…,"total":…}          when it is full, in room that was kept for it
 *     {"kind":"disk-space","path":…,"seconds":…,"since":…,"lost":{cause: count}}    when there is space again
 *     {"kind":"loss","cause":"stopped while the disk was full","listener":…,"count":…}   datagrams that it could not store
 */
export type DiskSpace = {
  readonly reserve: IntakeReserve;
  onSpace(space: IntakeSpace, fullForMs: number): void;
  /** Once a second while there is space: sums up what is over. */
  tick(ledger: Ledger): void;
};

type Outage = { since: Micros; lostBefore: ReadonlyMap<LedgerCause, number>; seconds: number | null };

/** Ticks after the end of an outage at which all of its losses have been counted (the kernel's are read each second). */
const settledAfter = 2;

export const diskSpace = (
  path: string,
  dropAbove: number,
  own: OwnLines,
  clock: Clock,
  log: OwnLog,
  lost: () => ReadonlyMap<LedgerCause, number>,
): DiskSpace => {
  let outage: Outage | null = null;
  let ticks = 0;

  return {
    reserve: {
      full: () => own.delivery([{ kind: 'disk-full', path, ...space(path) }]),
      closed: (left) => lastWord(own, left),
    },
    onSpace(state, fullForMs) {
      if (state === 'full') {
        outage ??= { since: clock.now(), lostBefore: new Map(lost()), seconds: null };
        outage.seconds = null;
        const { free, total } = space(path);
        log(
          'error',
          `${path}: no space left (${free} of ${total} bytes of its file system are free). Nothing that was acknowledged is lost. ` +
            `Senders over TCP wait; datagrams are lost, and counted, once ${dropAbove} bytes wait. ` +
            'Free space there (docs/disk-space.md says how); it then goes on by itself',
        );
        return;
      }
      if (outage === null) return;
      outage.seconds = Math.round(fullForMs / 1000);
      ticks = 0;
      log('warning', `${path}: space again after ${outage.seconds} s`);
    },
    tick(ledger) {
      ticks += 1;
      if (outage === null || outage.seconds === null || ticks < settledAfter) return;
      const { since, seconds, lostBefore } = outage;
      outage = null;
      const meanwhile: Record<string, number> = {};
      for (const [cause, count] of ledger.totals()) {
        const more = count - (lostBefore.get(cause) ?? 0);
        if (more > 0) meanwhile[cause] = more;
      }
      ledger.say({ kind: 'disk-space', path, seconds, since: formatMicros(since), lost: meanwhile });
    },
  };
};

/** Bytes of the file system; what is kept for root counts as free for root alone. */
const space = (path: string): { free: number; total: number } => {
  const { bsize, bavail, bfree, blocks } = statfsSync(path);
  return { free: (process.geteuid?.() === 0 ? bfree : bavail) * bsize, total: blocks * bsize };
};

/**
 * What the receiver itself still had to say, and how many datagrams go with it. Streams are not in it: how many lines
 * their bytes are is not known here, and Holdfast's own are sent again.
 */
const lastWord = (own: OwnLines, left: readonly PendingDelivery[]): PendingDelivery | null => {
  const frames: Buffer[] = [];
  const datagrams = new Map<string, number>();
  for (const delivery of left) {
    const ours = own.framesOf(delivery);
    if (ours !== null) {
      frames.push(...ours);
      continue;
    }
    const count = datagramsIn(delivery);
    if (count === 0) continue;
    const listener = headListener(delivery.head);
    datagrams.set(listener, (datagrams.get(listener) ?? 0) + count);
  }
  const lines: OwnLine[] = [...datagrams].map(([listener, count]) => ({
    kind: 'loss',
    cause: 'stopped while the disk was full',
    listener,
    count,
  }));
  return frames.length + lines.length === 0 ? null : own.append(frames, lines);
};
