import type { Clock, Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { IntakeSpace } from '#vault/intake';
import type { Ledger } from './ledger.ts';
import type { Listener } from './listener.ts';

/**
 * Who was made to wait because the disk was behind, and for how long: a line for each sender when it is over, or each
 * minute while it lasts.
 *
 *     {"kind":"backpressure","cause","listener","sender","count","seconds","since","until","state"}
 *
 * `cause` is `disk behind` or `disk full`; `count` is how often senders were held back since `since`, `seconds` how long
 * in all; `state` is `over` or `lasting`. Of more than a hundred senders of a listener the rest is one line, with their
 * number in `senders`.
 */
export type Backpressure = {
  onPressure(level: 'high' | 'low'): void;
  stop(): void;
};

export type BackpressureOptions = {
  clock: Clock;
  ledger: Pick<Ledger, 'say'>;
  space: () => IntakeSpace;
  listeners: () => Iterable<Pick<Listener, 'name' | 'senders'>>;
  /** ms */
  lookEveryMs?: number;
  /** ms after which what lasts is told */
  tellEveryMs?: number;
};

type Cause = 'disk behind' | 'disk full';

/** Holds that follow one another closely are told together: under load they come many times a second. */
type Spell = {
  since: Micros;
  began: number;
  /** When the hold that lasts began; `null` between two. */
  heldSince: number | null;
  releasedAt: number;
  heldMs: number;
  times: number;
  cause: Cause;
  senders: Map<string, Set<string>>;
};

const mostNamed = 100;
/** Between two holds of one spell. */
const calmMs = 1000;

export const openBackpressure = (options: BackpressureOptions): Backpressure => {
  const { clock, ledger, space, listeners, lookEveryMs = 1000, tellEveryMs = 60_000 } = options;
  let spell: Spell | null = null;

  const beginSpell = (times: number): Spell => ({
    since: clock.now(),
    began: clock.elapsed(),
    heldSince: null,
    releasedAt: clock.elapsed(),
    heldMs: 0,
    times,
    cause: 'disk behind',
    senders: new Map(),
  });

  const addSenders = ({ senders }: Spell): void => {
    for (const listener of listeners()) {
      const held = listener.senders();
      if (held.size === 0) continue;
      const known = senders.get(listener.name) ?? new Set();
      for (const address of held.keys()) known.add(address.replace(/^::ffff:(?=\d+\.)/i, ''));
      senders.set(listener.name, known);
    }
  };

  const tell = (told: Spell, state: 'over' | 'lasting'): void => {
    addSenders(told);
    const heldMs = told.heldMs + (told.heldSince === null ? 0 : clock.elapsed() - told.heldSince);
    const what = {
      count: told.times,
      seconds: Math.round(heldMs) / 1000,
      since: formatMicros(told.since),
      until: formatMicros(clock.now()),
      state,
    };
    const line = (listener: string | null, sender: string | null, more = {}): void =>
      ledger.say({ kind: 'backpressure', cause: told.cause, listener, sender, ...what, ...more });
    if (told.senders.size === 0) line(null, null);
    for (const [listener, senders] of told.senders) {
      const named = [...senders].slice(0, mostNamed);
      for (const sender of named) line(listener, sender);
      if (senders.size > named.length) line(listener, null, { senders: senders.size - named.length });
    }
  };

  const look = (): void => {
    if (spell === null) return;
    const now = clock.elapsed();
    if (space() === 'full') spell.cause = 'disk full';
    if (spell.heldSince === null && now - spell.releasedAt >= calmMs) {
      tell(spell, 'over');
      spell = null;
      // While the disk is full what it says would but wait for space itself.
    } else if (now - spell.began >= tellEveryMs && space() === 'available') {
      tell(spell, 'lasting');
      const { heldSince } = spell;
      spell = beginSpell(heldSince === null ? 0 : 1);
      if (heldSince !== null) spell.heldSince = now;
    }
  };
  const timer = setInterval(look, lookEveryMs);

  return {
    onPressure(level) {
      if (level === 'high') {
        spell ??= beginSpell(0);
        spell.times += 1;
        spell.heldSince = clock.elapsed();
        if (space() === 'full') spell.cause = 'disk full';
        addSenders(spell);
      } else if (spell !== null && spell.heldSince !== null) {
        spell.heldMs += clock.elapsed() - spell.heldSince;
        spell.heldSince = null;
        spell.releasedAt = clock.elapsed();
        addSenders(spell);
      }
    },
    stop() {
      clearInterval(timer);
      if (spell !== null) tell(spell, 'over');
      spell = null;
    },
  };
};
