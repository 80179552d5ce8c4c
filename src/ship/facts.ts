import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Deliverer } from './deliver.ts';
import type { CursorChanges, Line } from './line.ts';

/** Something that holds of this host now. `value` is JSON. */
export type Fact = { name: string; value: unknown };

/**
 * Sends those of the facts that are not as they were sent last, and `value: null` for those that no longer hold: the
 * log tells what held at any time. What was sent is remembered across restarts, by hash.
 * Cursors: `fact:<name>`.
 * @param facts all that hold; a collector that could not look must throw and not leave out
 */
export const sendFacts = async (
  deliverer: Deliverer,
  facts: readonly Fact[],
  clock: Clock,
): Promise<void> => {
  const lines: Line[] = [];
  const cursors: CursorChanges = {};
  const time = formatMicros(clock.now());
  const say = ({ name, value }: Fact): void => {
    const raw = Buffer.from(JSON.stringify({ kind: 'fact', time, name, value }));
    lines.push({ meta: { via: 'fact', host: hostname() }, raw });
  };
  for (const fact of facts) {
    const print = hash('sha256', JSON.stringify(fact.value), 'base64url').slice(0, 22);
    if (deliverer.cursors.get(`fact:${fact.name}`) === print) continue;
    cursors[`fact:${fact.name}`] = print;
    say(fact);
  }
  const present = new Set(facts.map((fact) => `fact:${fact.name}`));
  for (const key of deliverer.cursors.keys()) {
    if (!key.startsWith('fact:') || present.has(key)) continue;
    cursors[key] = null;
    say({ name: key.slice(5), value: null });
  }
  if (lines.length > 0) await deliverer.put(lines, cursors);
};
