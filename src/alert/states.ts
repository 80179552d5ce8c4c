import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import type { AlertState, Watch } from '#wire/alert';
import { parseKey, valuesOf } from './keys.ts';
import { storedRule, type RuleRun } from './rules.ts';
import type { Store } from './store.ts';
import { lengthInWords, linesInWords, watchInWords } from './words.ts';

const mostListed = 20;

/** How each rule stands. @throws IndexError */
export const statesOf = async (
  index: Index,
  store: Store,
  runs: readonly RuleRun[],
): Promise<AlertState[]> => {
  const deliveries = await lastDeliveries(index);
  return runs.map((run) => stateOf(index, store, run, deliveries.get(run.rule.name) ?? null));
};

const stateOf = (
  index: Index,
  store: Store,
  { rule, broken, trouble }: RuleRun,
  lastDelivery: AlertState['lastDelivery'],
): AlertState => {
  const { indexed, heldUntil } = index.state();
  const stored = storedRule(store, rule);
  const { watch } = rule;
  const by = watch.for === 'new' ? [] : watch.by;
  const firing = store.rows(
    'SELECT key, text, lines, since FROM firing WHERE rule = ? ORDER BY since',
    rule.name,
  );
  const learnedAt =
    watch.for === 'new' && stored !== null ? (stored.first ?? heldUntil) + watch.learn * 1_000_000 : 0;
  const unseen = watch.for === 'new' && stored?.first === null;
  const learning = stored === null || unseen || learnedAt > heldUntil;
  const evaluated = stored?.position ?? 0;
  return {
    rule: rule.name,
    query: rule.query,
    watch: watchInWords(watch),
    severity: rule.severity,
    notify: rule.notify,
    state:
      broken !== null
        ? 'broken'
        : trouble !== null
          ? 'failing'
          : firing.length > 0
            ? 'firing'
            : learning
              ? 'learning'
              : 'quiet',
    detail:
      broken ??
      trouble ??
      (stored === null
        ? 'begins once the index is up with the vault'
        : learning
          ? unseen
            ? nothingYet(watch)
            : `nothing counts as new for another ${lengthInWords((learnedAt - heldUntil) / 1_000_000)}`
          : null),
    firing: firing.slice(0, mostListed).map(({ key, text, lines, since }) => ({
      of: valuesOf(by, parseKey(key)),
      text: Number(lines) === 0 ? String(text) : `${String(text)}, ${linesInWords(Number(lines))} by now`,
      since: formatMicros(micros(Number(since))),
    })),
    count: firing.length,
    evaluated,
    behind: stored === null ? 0 : Math.max(0, indexed - evaluated),
    lastFiring: stored?.fired ?? null,
    lastDelivery,
  };
};

/** A rule whose field no line ever has would never fire, and look like one that has nothing to tell. */
const nothingYet = (watch: Watch): string => {
  const what = watch.for !== 'new' || watch.field === 'pattern' ? '' : ` with the field ${watch.field}`;
  return `it has found no line${what} yet, and learns from the first one on: 'holdfast logs fields QUERY' shows which fields lines have`;
};

/** What the courier said last of each rule. */
const lastDeliveries = async (index: Index): Promise<Map<string, AlertState['lastDelivery']>> => {
  const rows = await index.engine.rows(
    'interactive',
    `SELECT fields['rule'] AS rule, toUnixTimestamp64Micro(received) AS at, fields['to'] AS target,
        fields['result'] AS result, fields['why'] AS why
      FROM lines WHERE app = 'holdfast' AND via = 'self' AND source = 'courier' AND fields['kind'] = 'alert-delivery'
        AND entry < ${index.state().indexed}
      ORDER BY received DESC, entry DESC, line DESC LIMIT 1 BY rule`,
  );
  return new Map(
    rows.map((row) => [
      String(row['rule']),
      {
        time: formatMicros(micros(Number(row['at']))),
        to: String(row['target']),
        result: String(row['result']),
        why: String(row['why']) || null,
      },
    ]),
  );
};
