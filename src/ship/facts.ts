import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Deliverer } from './deliver.ts';
import { selfLine, type CursorChanges, type Line } from './line.ts';

/** Something that holds of this host now. `value` is JSON. */
export type Fact = {
  name: string;
  value: unknown;
  /** Said once, as a line of its own, when it holds anew: not of what holds when facts are sent for the first time. */
  news?: News | undefined;
};

/** `opened` is a line of its kind; `closed` the one for when it holds no more. */
export type News = { opened: KindOfLine; closed: KindOfLine };
type KindOfLine = { kind: string } & Record<string, unknown>;

const kindOfLine = z.looseObject({ kind: z.string() });

/**
 * Sends those of the facts that are not as they were sent last, and `value: null` for those that no longer hold: the
 * log tells what held at any time. What was sent is remembered across restarts, by hash.
 * Cursors: `fact:<name>`; `gone:<name>` is what is to be said when it ends.
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
  const tell = ({ kind, ...fields }: KindOfLine): void => void lines.push(selfLine(clock, kind, fields));
  const hasSent = deliverer.cursors.keys().some((key) => key.startsWith('fact:'));
  for (const fact of facts) {
    const print = hash('sha256', JSON.stringify(fact.value), 'base64url').slice(0, 22);
    const isSent = deliverer.cursors.get(`fact:${fact.name}`) === print;
    // A fact that was sent without news has them when a later version knows how to tell of its end.
    if (fact.news !== undefined && !(isSent && deliverer.cursors.has(`gone:${fact.name}`)))
      cursors[`gone:${fact.name}`] = fact.news.closed;
    if (isSent) continue;
    const isNew = deliverer.cursors.get(`fact:${fact.name}`) === undefined;
    cursors[`fact:${fact.name}`] = print;
    say(fact);
    if (fact.news !== undefined && isNew && hasSent) tell(fact.news.opened);
  }
  const present = new Set(facts.map((fact) => `fact:${fact.name}`));
  for (const key of deliverer.cursors.keys()) {
    if (!key.startsWith('fact:') || present.has(key)) continue;
    const name = key.slice('fact:'.length);
    cursors[key] = null;
    say({ name, value: null });
    const closed = deliverer.cursors.get(`gone:${name}`);
    if (closed === undefined) continue;
    cursors[`gone:${name}`] = null;
    tell(kindOfLine.parse(closed));
  }
  if (Object.keys(cursors).length > 0) await deliverer.put(lines, cursors);
};
