import { micros, type Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { claimedHostMismatch, type Index } from '#index';
import type { SenderFigures } from '#wire/search';

/** What is counted is counted again after so many times the time that it took, and not before some seconds. */
const restFactor = 20;
const leastRestMs = 3000;
const mostSenders = 1000;

/**
 * What each sender has sent, and what was lost, torn, refused or not what it claimed to be, those with the newest line
 * first. It reads the whole table, so it is done but now and then.
 */
export const openSenders = (index: Index, clock: Clock): (() => Promise<SenderFigures[]>) => {
  let counted: { until: number; figures: Promise<SenderFigures[]> } | null = null;
  return () => {
    const began = clock.elapsed();
    if (counted !== null && began < counted.until) return counted.figures;
    const figures = countAll(index);
    const mine = { until: Infinity, figures };
    counted = mine;
    void figures.then(
      () => (mine.until = clock.elapsed() + Math.max(leastRestMs, restFactor * (clock.elapsed() - began))),
      () => (mine.until = 0),
    );
    return figures;
  };
};

const countAll = async (index: Index): Promise<SenderFigures[]> => {
  const figures = new Map<string | null, SenderFigures>();
  const of = (sender: string | null): SenderFigures => {
    let known = figures.get(sender);
    if (known === undefined) {
      known = { ...nothing, sender, names: [], via: [], causes: [] };
      figures.set(sender, known);
    }
    return known;
  };
  for (const row of await index.engine.rows('interactive', linesSql(index)))
    Object.assign(of(String(row['source'])), {
      names: textsOf(row['names']),
      via: textsOf(row['ways']),
      hosts: Number(row['hosts']),
      lines: Number(row['n']),
      first: formatMicros(micros(Number(row['first']))),
      last: formatMicros(micros(Number(row['last']))),
      mismatched: Number(row['mismatched']),
    });
  for (const row of await index.engine.rows('interactive', ledgerSql(index))) {
    const one = of(String(row['sender']) || null);
    const kind = String(row['kind']);
    const count = Number(row['n']);
    if (kind === 'loss') one.lost += count;
    else if (kind === 'torn') one.torn += count;
    else if (kind === 'refusal') one.refused += count;
    else if (kind === 'backpressure')
      one.heldBack = Math.round((one.heldBack + Number(row['seconds'])) * 1000) / 1000;
    one.causes.push({
      kind,
      cause: String(row['cause']),
      count,
      last: formatMicros(micros(Number(row['last']))),
    });
  }
  return [...figures.values()]
    .toSorted((a, b) => ((a.last ?? '') < (b.last ?? '') ? 1 : -1))
    .slice(0, 2 * mostSenders);
};

const nothing = {
  hosts: 0,
  lines: 0,
  first: null,
  last: null,
  lost: 0,
  torn: 0,
  refused: 0,
  heldBack: 0,
  mismatched: 0,
};

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

const linesSql = (index: Index): string =>
  `SELECT source, groupUniqArrayIf(8)(tls_name, tls_name != '') AS names, groupUniqArray(8)(via) AS ways,
    uniq(host) AS hosts, count() AS n, countIf(bitAnd(flags, ${claimedHostMismatch}) != 0) AS mismatched,
    toUnixTimestamp64Micro(min(received)) AS first, toUnixTimestamp64Micro(max(received)) AS last
  FROM lines WHERE via NOT IN ('fact', 'self') AND entry < ${index.state().indexed}
  GROUP BY source ORDER BY last DESC LIMIT ${mostSenders}
  SETTINGS max_rows_to_group_by = 100000, group_by_overflow_mode = 'any'`;

/** The receiver names the sender; agents speak of themselves. */
const ledgerSql = (index: Index): string =>
  `SELECT fields['kind'] AS kind, fields['cause'] AS cause,
    if(listener = 'receiver', fields['sender'], source) AS sender, sum(toUInt64OrZero(fields['count'])) AS n,
    sum(toFloat64OrZero(fields['seconds'])) AS seconds, toUnixTimestamp64Micro(max(received)) AS last
  FROM lines
  WHERE app = 'holdfast' AND via = 'self' AND entry < ${index.state().indexed}
    AND (fields['kind'] = 'loss' OR (listener = 'receiver' AND fields['kind'] IN ('torn', 'refusal', 'framing', 'kernel', 'backpressure')))
  GROUP BY kind, cause, sender ORDER BY n DESC LIMIT ${mostSenders}`;
