import { micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { Index } from '#index';
import { causesMissing } from '#wire/ledger';
import type { Answer } from '#wire/search';
import type { Query } from './query/expression.ts';
import { couldBeFrom } from './query/scope.ts';

type Gap = Answer['answer']['completeness']['gaps'][number];

export type Ledger = {
  gaps: Gap[];
  /** What may have cost a line, and nobody can tell. */
  doubts: string[];
};

const mostGaps = 100;
const mostDoubts = 8;

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** Of what the receiver alone may say: with another's lines of that kind anybody could cast doubt. */
const isReceiver = `listener = 'receiver'`;
const isGap = `(fields['kind'] = 'loss' OR (${isReceiver} AND fields['cause'] IN (${quoted(causesMissing('yes'))})))`;
const isDoubt = `(${isReceiver} AND fields['kind'] != 'loss' AND fields['cause'] IN (${quoted(causesMissing('maybe'))}))`;

/**
 * What receivers and agents have said of what they lost, and receivers of what came in part or was not taken, in the
 * query's range. Senders that may not speak, and those that were told, leave no gap.
 * @param time a condition on the lines that say so
 * @throws IndexError
 */
export const ledgerOf = async (index: Index, query: Query, time: string): Promise<Ledger> => {
  const isAny = index.senders.others() !== null || [...index.senders.all()].some(({ via }) => via === 'self');
  if (!isAny) return { gaps: [], doubts: [] };
  const rows = await index.engine.rows(
    'interactive',
    `SELECT if(${isReceiver}, fields['sender'], '') AS sender,
      if(${isReceiver} AND fields['listener'] != '', fields['listener'], if(tls_name != '', tls_name, source)) AS place,
      fields['cause'] AS cause, ${isGap} AS gone, sum(toUInt64OrZero(fields['count'])) AS n,
      toUnixTimestamp64Micro(min(time)) AS first, toUnixTimestamp64Micro(max(time)) AS last,
      min(fields['since']) AS since, max(fields['until']) AS until
    FROM lines
    PREWHERE app = 'holdfast' AND via = 'self'
    WHERE (${isGap} OR ${isDoubt}) AND entry < ${index.state().indexed} AND ${time}
    GROUP BY sender, place, cause, gone ORDER BY n DESC LIMIT 10000`,
  );
  const counted = rows
    .map((row) => ({
      sender: String(row['sender']),
      listener: String(row['place']),
      cause: String(row['cause']),
      count: Number(row['n']) || null,
      from: String(row['since']) || formatMicros(micros(Number(row['first']))),
      until: String(row['until']) || formatMicros(micros(Number(row['last']))),
      gone: Number(row['gone']) === 1,
    }))
    .filter(({ sender }) => sender === '' || couldBeFrom(query, sender));
  const gaps = counted.filter(({ gone }) => gone);
  const doubts = counted.filter(({ gone }) => !gone);
  return {
    gaps: gaps
      .slice(0, mostGaps)
      .map(({ gone: _, sender, listener, ...gap }) =>
        sender === '' ? { sender: listener, ...gap } : { sender, listener, ...gap },
      ),
    doubts: [
      ...doubts
        .slice(0, mostDoubts)
        .map(
          ({ sender, listener, cause, count }) =>
            `whether a line is missing cannot be told: ${cause}, ${count ?? 'an unknown number of'} times, ${sender === '' ? 'of senders that are not named' : `of ${sender}`} on ${listener}`,
        ),
      ...(doubts.length > mostDoubts
        ? [`${doubts.length - mostDoubts} more such doubts are not listed`]
        : []),
    ],
  };
};
