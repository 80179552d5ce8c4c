import { join } from 'node:path';
import { micros, type Clock, type Micros } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { AlertEvent, AlertRule, AlertState, TestAnswer } from '#wire/alert';
import { AlertError } from './errors.ts';
import { tellOfFailure, tellOfRecovery } from './failing.ts';
import { addNotification, notify, sayEvents, writeOutbox, type Voice } from './publish.ts';
import {
  fewerEntries,
  forgetOthers,
  isForGood,
  lookOnce,
  mostEntries,
  whyBroken,
  type RuleRun,
} from './rules.ts';
import { statesOf } from './states.ts';
import { openStore } from './store.ts';

export type Alerts = {
  /** @throws IndexError */
  list(): Promise<AlertState[]>;
  /** Has a test delivered, to whom a rule notifies or to one that is notified. @throws AlertError `unknown-name` */
  test(name: string): TestAnswer;
  /** Finishes the look in hand. */
  stop(): Promise<void>;
};

export type AlertsOptions = {
  /** `alerts/` of the state directory: `evaluator/` is this process's alone, `outbox/` is for the courier to read. */
  directory: string;
  index: Index;
  rules: readonly AlertRule[];
  /** Names of all who can be notified. */
  notify: readonly string[];
  voice: Voice;
  clock: Clock;
  log: OwnLog;
  /** Least time between two notifications of one rule: what comes in between is told of together. Default: a minute. */
  paceMs?: number;
  /** How long a rule's looks have to fail before that is told of. Default: a minute. */
  failingMs?: number;
  /** Least rest between two looks. Default: half a second. */
  restMs?: number;
};

/** Looks take at most a fifth of a processor's time, unless they are behind. */
const restFactor = 4;
/** Without news a look is taken this often, to see whether this process could look at all. */
const idleMs = 5000;
/** The keeper says each minute that there is nothing to commit: a log that says nothing for longer stands still. */
const stillMs = 150_000;
/** A pause of this process's own: what happened in it was not seen as it happened. */
const longestPauseMs = 60_000;

/**
 * Evaluates rules over what becomes searchable, entry by entry of the log, each once. What comes of it is said as lines,
 * and laid into the outbox for the courier.
 * @throws AlertError `state-unusable`
 */
export const startAlerts = async (options: AlertsOptions): Promise<Alerts> => {
  const { directory, index, rules, voice, clock, log } = options;
  const paceMs = options.paceMs ?? 60_000;
  const failingMs = options.failingMs ?? 60_000;
  const restMs = options.restMs ?? 500;
  const outbox = join(directory, 'outbox');
  const store = openStore(join(directory, 'evaluator'));
  forgetOthers(store, rules);
  const runs: RuleRun[] = [];
  for (const rule of rules) {
    const broken = await whyBroken(index, rule, clock);
    if (broken !== null) log('error', `alert ${rule.name} is not evaluated: ${broken}`);
    runs.push({ rule, broken, trouble: null, failingSince: null, entries: mostEntries });
  }
  const stopping = new AbortController();
  const notifiedAt = new Map<string, number>();
  let wake: () => void = () => undefined;
  const stopListening = index.onIndexed(() => wake());
  const watch = openWatch(store, clock, voice);
  let unsaid = '';

  const look = async (run: RuleRun): Promise<boolean> => {
    try {
      const more = await lookOnce({ index, store, clock, log }, run, watch.since);
      if (more === null) return false;
      if (run.trouble !== null) log('info', `alert ${run.rule.name} is evaluated again`);
      run.trouble = null;
      run.failingSince = null;
      run.entries = Math.min(mostEntries, run.entries + Math.ceil(run.entries / 8));
      tellOfRecovery(store, run.rule, clock);
      return more;
    } catch (error) {
      if (stopping.signal.aborted) return false;
      // Nothing was kept of it: whatever it was (a full disk, a statement that ran into its limit), it is looked at again.
      if (isForGood(run.rule, error)) run.broken = messageOf(error);
      if (run.trouble === null)
        log('error', `alert ${run.rule.name} could not be evaluated: ${messageOf(error)}`);
      run.trouble = messageOf(error);
      if (lookAtFewer(run, error)) return true;
      run.failingSince ??= clock.elapsed();
      return false;
    }
  };

  /** @returns whether to look again at once */
  const lookAtFewer = (run: RuleRun, error: unknown): boolean => {
    try {
      const entries = fewerEntries({ index, store }, run, error);
      run.entries = entries ?? run.entries;
      return entries !== null;
    } catch {
      // The store cannot be read: that is what is said of the look already, or will be.
      return false;
    }
  };

  /** What is not evaluated is told of, where it is more than a moment. */
  const tellOfFailures = (): void => {
    for (const { rule, broken, trouble, failingSince } of runs) {
      const lasts = failingSince !== null && clock.elapsed() - failingSince >= failingMs;
      const why = broken ?? (lasts ? trouble : null);
      if (why !== null) tellOfFailure(store, rule, why, clock);
    }
  };

  const publish = async (): Promise<void> => {
    try {
      tellOfFailures();
      await sayEvents(store, rules, voice);
      for (const rule of rules) {
        const last = notifiedAt.get(rule.name) ?? -Infinity;
        if (clock.elapsed() - last < paceMs) continue;
        if (notify(store, rule, clock)) notifiedAt.set(rule.name, clock.elapsed());
      }
      writeOutbox(store, outbox, clock);
      unsaid = '';
    } catch (error) {
      // It is all in the store still.
      const why = messageOf(error);
      if (why !== unsaid) log('error', `alerts could not be handed on, and are kept: ${why}`);
      unsaid = why;
    }
  };

  const tick = (): void => {
    try {
      watch.tick();
    } catch (error) {
      const why = messageOf(error);
      if (why !== unsaid) log('error', `what is kept of alerts cannot be written: ${why}`);
      unsaid = why;
    }
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const began = clock.elapsed();
      tick();
      let behind = false;
      for (const run of runs) {
        if (stopping.signal.aborted) return;
        if (run.broken === null && (await look(run))) behind = true;
      }
      await publish();
      const took = clock.elapsed() - began;
      await pause(behind ? took : Math.max(restMs, restFactor * took), 'whole');
      if (!behind && !stopping.signal.aborted && isUpToDate()) await pause(idleMs, 'until woken');
    }
  };

  let seen = -1;
  /** Whether nothing was indexed since this was asked last. */
  const isUpToDate = (): boolean => {
    const { indexed } = index.state();
    const same = indexed === seen;
    seen = indexed;
    return same;
  };

  const pause = (ms: number, how: 'whole' | 'until woken'): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        wake = () => undefined;
        stopping.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (how === 'until woken') wake = done;
      stopping.signal.addEventListener('abort', done);
      if (stopping.signal.aborted) done();
    });

  const looping = loop().catch((error: unknown) => {
    log('error', `alerts are not evaluated any more: ${messageOf(error)}`);
    for (const run of runs) run.broken ??= messageOf(error);
  });

  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    stopping.abort();
    stopListening();
    await looping;
    await publish();
    store.close();
  };

  return {
    list: () => statesOf(index, store, runs),
    test(name) {
      const rule = rules.find((one) => one.name === name);
      const targets = rule?.notify ?? options.notify.filter((one) => one === name);
      if (targets.length === 0) throw new AlertError('unknown-name', unknownName(name, rule, options));
      const id = store.transaction(() =>
        addNotification(
          store,
          {
            name: rule?.name ?? name,
            query: rule?.query ?? '',
            severity: rule?.severity ?? 'notice',
            notify: [...targets],
            words: 'a test that somebody asked for',
          },
          [testEvent(store.id, clock)],
          clock,
        ),
      );
      writeOutbox(store, outbox, clock);
      return { id, notify: [...targets] };
    },
    stop: () => (stopped ??= stop()),
  };
};

const unknownName = (
  name: string,
  rule: AlertRule | undefined,
  { rules, notify: all }: AlertsOptions,
): string =>
  rule !== undefined
    ? `the alert ${name} notifies nobody: it has no notify. Name one of: ${all.join(', ') || 'there is no [[notify]]'}`
    : `there is no alert and no notify "${name}"; there are: ${[...rules.map((one) => one.name), ...all].join(', ') || 'none'}`;

const testEvent = (store: string, clock: Clock): AlertEvent => {
  const now = formatMicros(clock.now());
  return {
    episode: `${store}-test`,
    state: 'test',
    of: {},
    text: 'this is a test: nothing has happened',
    lines: null,
    since: now,
    until: now,
    samples: [],
  };
};

type Watching = {
  /** Since when somebody who spoke would have been heard, without a break. */
  since(heldUntil: Micros): Micros;
  tick(): void;
};

/**
 * Nobody's silence counts while nobody could be heard: while the receiver does not take lines, while the log stands still
 * (a full disk, a keeper or an indexer that is held up), and while this process did not run.
 */
const openWatch = (store: ReturnType<typeof openStore>, clock: Clock, voice: Voice): Watching => {
  const kept = (name: string): number =>
    Number(store.rows('SELECT value FROM about WHERE name = ?', name)[0]?.['value'] ?? 0);
  const keep = (name: string, value: number): void =>
    store.run('INSERT OR REPLACE INTO about VALUES (?, ?)', name, String(value));
  let last = kept('looked');
  let since = kept('watching since');
  let keptAt = 0;
  const tick = (): void => {
    const now = clock.now();
    if (now - last > longestPauseMs * 1000 || now < last || !voice.connected()) since = now;
    last = now;
    if (Math.abs(now - keptAt) < 10_000_000) return;
    keptAt = now;
    store.transaction(() => {
      keep('looked', now);
      keep('watching since', since);
    });
  };
  let held = { until: 0, at: clock.elapsed() };
  return {
    since(heldUntil) {
      if (heldUntil !== held.until) {
        const stood = clock.elapsed() - held.at;
        if (held.until > 0 && stood > stillMs) since = Math.max(since, heldUntil);
        held = { until: heldUntil, at: clock.elapsed() };
      }
      return micros(since);
    },
    tick,
  };
};
