import type { Micros } from '#base/clock';
import { holdOn, holdsOf, type Hold, type VaultReader } from '#vault/read';

/** Batches that would go, from the first to the last of them; no other batch of the class lies between. */
export type ExpiryRange = {
  first: number;
  end: number;
  batches: number;
  /** Manifests left out. */
  lines: number;
  /** As stored. */
  bytes: number;
  earliest: Micros;
  latest: Micros;
};

export type ExpiryPlan = {
  ranges: readonly ExpiryRange[];
  /** Batches that are old enough and kept by a hold. */
  held: readonly { hold: Hold; batches: number; lines: number }[];
};

const step = 4096;

/** Batches of a class that are wholly older than `before`, not expired yet and under no hold in force. @throws VaultError */
export const planExpiry = (vault: VaultReader, before: Micros, name: string): ExpiryPlan => {
  const amendments = vault.amendments();
  const holds = holdsOf(amendments.all());
  const held = new Map<Hold, { batches: number; lines: number }>();
  const ranges: ExpiryRange[] = [];
  let open: ExpiryRange | null = null;
  const size = vault.checkpoint()?.size ?? 0;
  for (let from = 0; from < size; from += step) {
    for (const { index, entry } of vault.entries(from, Math.min(size, from + step))) {
      if (entry.kind !== 'batch') continue;
      const hold = holdOn(holds, index);
      const isOld = entry.class === name && entry.latest < before;
      if (hold === null && (entry.class !== name || amendments.expiry(index, entry) !== null)) continue;
      if (hold !== null || !isOld) {
        open = null;
        if (hold === null || !isOld || amendments.expiry(index, entry) !== null) continue;
        const { batches, lines } = held.get(hold) ?? { batches: 0, lines: 0 };
        held.set(hold, { batches: batches + 1, lines: lines + entry.lines - 1 });
        continue;
      }
      if (open === null) {
        const { earliest, latest } = entry;
        open = { first: index, end: index, batches: 0, lines: 0, bytes: 0, earliest, latest };
        ranges.push(open);
      }
      open.end = index + 1;
      open.batches += 1;
      open.lines += entry.lines - 1;
      open.bytes += amendments.redaction(index)?.entry.segment.length ?? entry.segment.length;
      if (entry.earliest < open.earliest) open.earliest = entry.earliest;
      if (entry.latest > open.latest) open.latest = entry.latest;
    }
  }
  return { ranges, held: [...held].map(([hold, counts]) => ({ hold, ...counts })) };
};
