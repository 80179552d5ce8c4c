import type { HoldEntry, ReleaseEntry } from '#vault/tree';
import type { Amended } from './amended.ts';

/** A legal hold and what became of it. */
export type Hold = Amended<HoldEntry> & { released: Amended<ReleaseEntry> | null };

/** Every hold that a log's amendments name, in order. */
export const holdsOf = (all: readonly Amended[]): Hold[] => {
  const holds = new Map<number, Hold>();
  for (const { index, entry } of all) {
    if (entry.kind === 'hold') holds.set(index, { index, entry, released: null });
    if (entry.kind !== 'release') continue;
    const hold = holds.get(entry.hold);
    if (hold !== undefined) hold.released ??= { index, entry };
  }
  return [...holds.values()];
};

/** The first hold in force that covers a batch. */
export const holdOn = (holds: readonly Hold[], batch: number): Hold | null =>
  holds.find(
    ({ entry, released }) => released === null && batch >= entry.entries.first && batch < entry.entries.end,
  ) ?? null;
