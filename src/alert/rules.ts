import { hash } from 'node:crypto';
import { formatMicros } from '#base/rfc3339';
import { micros, type Clock, type Micros } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { IndexError, type Index, type IndexState } from '#index';
import { asksForSavedSearch, checkQuery, conditionOf, SearchError } from '#search';
import type { AlertEvent, AlertRule } from '#wire/alert';
import { lookForCount } from './count.ts';
import { AlertError } from './errors.ts';
import type { Look, Outcome } from './look.ts';
import { learnNews, lookForNews } from './news.ts';
import { learnSilence, lookForSilence } from './silence.ts';
import { alertKind } from './publish.ts';
import type { Store } from './store.ts';

/** Entries of one look, unless they are too much for one. */
export const mostEntries = 512;
/** A rule that is new begins once the index is so near to the vault: what is indexed later has happened before. */
const nearEntries = 64;
/** Templates are learned from the newest entries, for so long. */
const learningMs = 60_000;
const learningEntries = 4096;
/** Bounds of one statement: of a look, and of what has to be known before the first. */
const lookSeconds = 60;
const learningSeconds = 900;

/** How a rule fares in this process; what lasts is in the store. */
export type RuleRun = {
  readonly rule: AlertRule;
  /** Where it can never be evaluated. */
  broken: string | null;
  /** Why the last look failed. */
  trouble: string | null;
  /** Since when looks fail, of however few entries, by the clock's `elapsed`. */
  failingSince: number | null;
  /** Of the next look, at most. */
  entries: number;
};

export type RulesOptions = { index: Index; store: Store; clock: Clock; log: OwnLog };

/**
 * One look of a rule at what it has not looked at: what comes of it is kept in one step with how far it has looked, so
 * that an end at any moment neither repeats nor skips.
 * @param watchingSince before what it gives nobody could have been heard, given up to when what was received is indexed
 * @returns whether there is more to look at; `null` where it could not begin, or there was nothing
 * @throws SearchError, IndexError, AlertError: then nothing of it was kept
 */
export const lookOnce = async (
  options: RulesOptions,
  { rule, entries }: Pick<RuleRun, 'rule' | 'entries'>,
  watchingSince: (heldUntil: Micros) => Micros,
): Promise<boolean | null> => {
  const { index, store, log } = options;
  const state = index.state();
  const stored = storedRule(store, rule);
  if (stored === null) return begin(options, rule, state);
  if (state.committed > 0 && stored.position > state.committed) {
    log('warning', `alert ${rule.name}: the vault ends before what was looked at; it goes on from its end`);
    store.run('UPDATE rule SET position = ? WHERE name = ?', state.committed, rule.name);
    return null;
  }
  // It is behind only while the index is made again.
  if (stored.position >= state.indexed) return null;
  const to = Math.min(stored.position + entries, state.indexed);
  const newest = to === state.indexed && state.heldUntil > 0;
  const look = await lookAt(options, rule, {
    from: stored.position,
    to,
    heldUntil: newest ? state.heldUntil : null,
    seconds: lookSeconds,
  });
  const outcome = await outcomeOf(look, watchingSince(state.heldUntil));
  const lookedUpTo = outcome.to ?? to;
  store.transaction(() => {
    outcome.keep();
    for (const event of outcome.events) keepEvent(store, rule, event);
    store.run('UPDATE rule SET position = ? WHERE name = ?', lookedUpTo, rule.name);
    const fired = outcome.events.findLast(({ state: is }) => is === 'firing' || is === 'seen');
    if (fired !== undefined)
      store.run('UPDATE rule SET fired = ? WHERE name = ?', Math.round(options.clock.now()), rule.name);
  });
  return lookedUpTo < state.indexed;
};

/** Whether fewer entries at once may do. */
const isTooMuch = (error: unknown): boolean =>
  (error instanceof IndexError && error.code === 'engine-limit') ||
  (error instanceof AlertError && error.code === 'too-many');

/** @returns of how many entries to try the next look, after one that has failed; `null` where fewer do not help */
export const fewerEntries = (
  { index, store }: Pick<RulesOptions, 'index' | 'store'>,
  { rule, entries }: RuleRun,
  error: unknown,
): number | null => {
  const position = storedRule(store, rule)?.position;
  if (position === undefined || !isTooMuch(error)) return null;
  const looked = Math.min(entries, index.state().indexed - position);
  return looked > 1 ? Math.floor(looked / 2) : null;
};

const outcomeOf = (look: Look, watchingSince: Micros): Promise<Outcome> => {
  const { watch } = look.rule;
  switch (watch.for) {
    case 'count':
      return lookForCount(look, watch);
    case 'new':
      return lookForNews(look, watch);
    case 'silence':
      return lookForSilence(look, watch, watchingSince);
  }
};

/** A rule that is new, or asks for something else than before, begins at the end of the log, once it knows the rest. */
const begin = async (options: RulesOptions, rule: AlertRule, state: IndexState): Promise<boolean | null> => {
  const { store, clock } = options;
  const isFirst = isEmpty(options.index);
  if (!isFirst && (state.committed === 0 || state.committed - state.indexed > nearEntries)) return null;
  const to = isFirst ? 0 : state.indexed;
  const { watch } = rule;
  const steps: (() => void)[] = [];
  const until = watch.for === 'new' && watch.field === 'pattern' ? clock.elapsed() + learningMs : Infinity;
  const learn = (from: number, end: number): Promise<Look> =>
    lookAt(options, rule, { from, to: end, heldUntil: null, seconds: learningSeconds });
  if (watch.for === 'silence') steps.push(await learnSilence(await learn(0, to), watch, clock.now()));
  if (watch.for === 'new') {
    let size = watch.field === 'pattern' ? learningEntries : Math.max(1, to);
    for (let end = to; end > 0 && clock.elapsed() < until;) {
      try {
        steps.push(await learnNews(await learn(Math.max(0, end - size), end), watch));
        end -= size;
      } catch (error) {
        if (!isTooMuch(error) || size === 1) throw error;
        size = Math.ceil(size / 2);
      }
    }
  }
  store.transaction(() => {
    forgetRule(store, rule.name);
    store.run('INSERT INTO rule VALUES (?, ?, ?, 1, NULL, NULL)', rule.name, fingerprint(rule), to);
    for (const step of steps) step();
  });
  return true;
};

const lookAt = async (
  { index, store, clock }: RulesOptions,
  rule: AlertRule,
  range: Pick<Look, 'from' | 'to' | 'heldUntil' | 'seconds'>,
): Promise<Look> => {
  const { where, parameters } = await conditionOf(index, rule.query, `entry < ${range.to}`, clock);
  let episodes = numberOfEvents(store);
  return {
    ...range,
    rule,
    // What alerts have said would be something new, or one more line, each time.
    condition: {
      where: `(${where}) AND NOT (via = 'self' AND source = '${sayingAs}' AND startsWith(message, '${alertKind} '))`,
      parameters,
    },
    engine: index.engine,
    store,
    newEpisode: () => `${store.id}-e${(episodes += 1)}`,
  };
};

/** Who says what alerts have to say: the process that they run in, which says other things too. */
const sayingAs = 'indexer';

/** Whether nothing was ever committed: then nothing is known, and the first line is looked at too. */
const isEmpty = ({ vault }: Index): boolean => {
  try {
    return (vault.checkpoint()?.size ?? 0) === 0;
  } catch {
    // It cannot be looked at just now, and is not taken for empty.
    return false;
  }
};

/** A rule that cannot be evaluated says so at once, and not when it would have fired. */
export const whyBroken = async (index: Index, rule: AlertRule, clock: Clock): Promise<string | null> => {
  try {
    await checkQuery(index, rule.query, clock);
    return null;
  } catch (error) {
    if (isForGood(rule, error)) return messageOf(error);
    if (error instanceof SearchError || error instanceof IndexError) return null;
    throw error;
  }
};

/** Whether a rule can never be evaluated. What is wrong with a saved search that it asks for may be mended. */
export const isForGood = ({ query }: AlertRule, error: unknown): boolean =>
  error instanceof SearchError && error.code === 'bad-query' && !asksForSavedSearch(query);

type StoredRule = { position: number; first: Micros | null; fired: string | null };

/** @returns `null` where the rule is new */
export const storedRule = (store: Store, rule: AlertRule): StoredRule | null => {
  const [row] = store.rows(
    'SELECT position, first, fired FROM rule WHERE name = ? AND fingerprint = ?',
    rule.name,
    fingerprint(rule),
  );
  if (row === undefined) return null;
  const { first, fired } = row;
  return {
    position: Number(row['position']),
    first: first === null || first === undefined ? null : micros(Number(first)),
    fired: fired === null || fired === undefined ? null : formatMicros(micros(Number(fired))),
  };
};

const fingerprint = ({ query, watch }: AlertRule): string =>
  hash('sha256', JSON.stringify([query, watch])).slice(0, 32);

/** Forgets rules that are not configured any more. */
export const forgetOthers = (store: Store, rules: readonly AlertRule[]): void => {
  for (const { name } of store.rows('SELECT name FROM rule'))
    if (!rules.some((rule) => rule.name === name)) store.transaction(() => forgetRule(store, String(name)));
  for (const { rule: name } of store.rows('SELECT rule FROM failing'))
    if (!rules.some((rule) => rule.name === name))
      store.run('DELETE FROM failing WHERE rule = ?', String(name));
};

const forgetRule = (store: Store, name: string): void => {
  for (const table of ['known', 'firing', 'heard', 'pauses'])
    store.run(`DELETE FROM ${table} WHERE rule = ?`, name);
  store.run('DELETE FROM rule WHERE name = ?', name);
};

/** Keeps what is to be said, and told. */
export const keepEvent = (store: Store, rule: AlertRule, event: AlertEvent): void =>
  store.run('INSERT INTO event (rule, event, said) VALUES (?, ?, 0)', rule.name, JSON.stringify(event));

/** A name for the next event, as `Look` has them. */
export const newEpisode = (store: Store): string => `${store.id}-e${numberOfEvents(store) + 1}`;

/** How many events there ever were. */
const numberOfEvents = (store: Store): number =>
  Number(store.rows(`SELECT seq FROM sqlite_sequence WHERE name = 'event'`)[0]?.['seq'] ?? 0);
