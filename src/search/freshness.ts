import { micros, type Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import { formatMicros } from '#base/rfc3339';
import { ageOf, nobodyWatches, readOutsideMemory, recentSeconds, type OutsideMemory } from '#vault/read';
import type { Answer } from '#wire/search';

/** Whether the vault that was searched is the newest there is, as far as anybody outside has said. */
export type Freshness = Answer['answer']['freshness'];

/** Said anew for each answer. */
export type FreshnessReader = () => Freshness;

export type FreshnessOptions = {
  vault: string;
  /** The directory of the vault's keys: there the keeper leaves what it was convicted by. */
  keys: string;
  /** Text of the vault's public key, or why there is none. */
  readKey: () => { vkey: string } | { missing: string };
  /** Texts of the keys of the witnesses that are configured. */
  witnesses: readonly string[];
  clock: Clock;
};

/** What was read is said for so long; searches follow one another. */
const keptMs = 1000;

/** Of a vault that nobody outside watches. */
export const nobodyOutside: FreshnessReader = () => unwatched;

const unwatched: Freshness = { verdict: 'unknown', detail: nobodyWatches, unwatched: true };

export const openFreshness = ({
  vault,
  keys,
  readKey,
  witnesses,
  clock,
}: FreshnessOptions): FreshnessReader => {
  let kept: { freshness: Freshness; until: number } | null = null;
  return () => {
    if (kept !== null && clock.elapsed() < kept.until) return kept.freshness;
    const key = readKey();
    const vkey = 'missing' in key ? null : key.vkey;
    const freshness = freshnessOf(readOutsideMemory({ vault, keys, vkey, witnesses }), clock);
    kept = { freshness, until: clock.elapsed() + keptMs };
    return freshness;
  };
};

const freshnessOf = (memory: OutsideMemory, clock: Clock): Freshness => {
  if (memory.kind === 'none' && memory.why === nobodyWatches) return unwatched;
  if (memory.kind === 'none') return { verdict: 'unknown', detail: memory.why };
  if (memory.kind === 'contradicted') return { verdict: 'contradicted', detail: memory.why };
  const now = Math.floor(clock.now() / 1_000_000);
  // A witness whose clock is wrong must not stand before one that counts.
  const recent = memory.by.filter(({ seconds }) => ageOf(seconds, now) === 'recent');
  const last = (recent.length > 0 ? recent : memory.by).reduce((a, b) => (b.seconds > a.seconds ? b : a));
  const doubt = doubtAbout(last.seconds, memory, now);
  if (doubt !== null)
    return {
      verdict: 'unknown',
      detail: `${last.name} last spoke at ${timeText(last.seconds)} for size ${memory.size}: ${doubt}`,
    };
  const since = memory.newest - memory.size;
  const grown = since === 0 ? '' : `; ${since} ${since === 1 ? 'entry has' : 'entries have'} come since`;
  return {
    verdict: 'current',
    detail: `as new as what ${last.name} remembered at ${timeText(last.seconds)}, size ${memory.size}${grown}`,
  };
};

/** Why what the witness said does not make the vault current. */
const doubtAbout = (
  seconds: number,
  memory: Extract<OutsideMemory, { kind: 'contained' }>,
  now: number,
): string | null => {
  switch (ageOf(seconds, now)) {
    case 'old':
      return `more than ${recentSeconds / 60} minutes ago, and a state put back since would look the same`;
    case 'ahead':
      return 'that is ahead of this clock: one of the two is wrong';
    case 'recent':
      try {
        return memory.beganUnwitnessed()
          ? 'the keeper has started since without an answer from any witness'
          : null;
      } catch (error) {
        return `entries since then cannot be read (${messageOf(error)})`;
      }
  }
};

const latestSecond = 253_402_300_799;

const timeText = (seconds: number): string =>
  seconds > latestSecond ? `second ${seconds}` : formatMicros(micros(seconds * 1_000_000));
