import type { Clock } from '#base/clock';
import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { AlertRule } from '#wire/alert';
import { keepEvent, newEpisode } from './rules.ts';
import type { Store } from './store.ts';
import { lengthInWords } from './words.ts';

/** Says once that a rule is not evaluated: who relies on it would take its silence for good news. */
export const tellOfFailure = (store: Store, rule: AlertRule, why: string, clock: Clock): void =>
  store.transaction(() => {
    if (failureOf(store, rule) !== undefined) return;
    const episode = newEpisode(store);
    const now = clock.now();
    store.run('INSERT INTO failing VALUES (?, ?, ?)', rule.name, episode, Math.round(now));
    keepEvent(store, rule, {
      episode,
      state: 'broken',
      of: {},
      text: `this alert is not evaluated: ${why}`,
      lines: null,
      since: formatMicros(now),
      until: formatMicros(now),
      samples: [],
    });
  });

/** Says once that a rule is evaluated again, where it was said that it is not. */
export const tellOfRecovery = (store: Store, rule: AlertRule, clock: Clock): void => {
  const failure = failureOf(store, rule);
  if (failure === undefined) return;
  const since = Number(failure['since']);
  const now = clock.now();
  store.transaction(() => {
    store.run('DELETE FROM failing WHERE rule = ?', rule.name);
    keepEvent(store, rule, {
      episode: String(failure['episode']),
      state: 'recovered',
      of: {},
      text: `evaluated again after ${lengthInWords(Math.max(0, now - since) / 1_000_000)}`,
      lines: null,
      since: formatMicros(micros(since)),
      until: formatMicros(now),
      samples: [],
    });
  });
};

const failureOf = (store: Store, rule: AlertRule): Record<string, unknown> | undefined =>
  store.rows('SELECT episode, since FROM failing WHERE rule = ?', rule.name)[0];
