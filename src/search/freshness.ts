import type { Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { readOutsideMemory, type OutsideMemory } from '#vault/read';
import type { Answer } from '#wire/search';

/** Whether the vault that was searched is the newest there is, as far as anybody outside has said. */
export type Freshness = Answer['answer']['freshness'];

/** Said anew for each answer. */
export type FreshnessReader = () => Freshness;

export type FreshnessOptions = {
  vault: string;
  /** Text of the vault's public key, or why there is none. */
  readKey: () => { vkey: string } | { missing: string };
  /** Texts of the keys of the witnesses that are configured. */
  witnesses: readonly string[];
  clock: Clock;
};

/** What was read is said for so long; searches follow one another. */
const keptMs = 1000;

/** Of a vault that nobody outside watches. */
export const nobodyOutside: FreshnessReader = () => ({
  verdict: 'unknown',
  detail: 'no witness is configured, so a rollback of everything would not show',
});

export const openFreshness = ({ vault, readKey, witnesses, clock }: FreshnessOptions): FreshnessReader => {
  if (witnesses.length === 0) return nobodyOutside;
  let kept: { freshness: Freshness; until: number } | null = null;
  return () => {
    if (kept !== null && clock.elapsed() < kept.until) return kept.freshness;
    const key = readKey();
    const freshness =
      'missing' in key
        ? ({ verdict: 'unknown', detail: key.missing } as const)
        : freshnessOf(readOutsideMemory(vault, key.vkey, witnesses));
    kept = { freshness, until: clock.elapsed() + keptMs };
    return freshness;
  };
};

const freshnessOf = (memory: OutsideMemory): Freshness => {
  switch (memory.kind) {
    case 'none':
      return { verdict: 'unknown', detail: memory.why };
    case 'more':
      return { verdict: 'stale', detail: `witnesses remember another log of size ${memory.size}` };
    case 'contained': {
      const newest = memory.by.reduce((a, b) => (b.at > a.at ? b : a));
      return {
        verdict: 'current',
        detail: `as new as what ${newest.name} remembered at ${formatMicros(newest.at)}, size ${memory.size}`,
      };
    }
  }
};
