import type { Parameters } from '#index';
import { senderIs, type Query } from '../query/expression.ts';
import { nextDay, type Place } from './path.ts';

/** A condition on rows of `lines`, with what it is bound to. */
export type Condition = { where: string; parameters: Parameters };

/** The lines of a place among those of entries below `below`. */
export const linesOf = ({ day, host, app }: Place, below: number): Condition => ({
  where: [
    `entry < ${below}`,
    ...(day === null
      ? []
      : [
          `time >= fromUnixTimestamp64Micro(toInt64(${day}))`,
          `time < fromUnixTimestamp64Micro(toInt64(${nextDay(day)}))`,
        ]),
    ...(host === null ? [] : ['host = {host:String}']),
    ...(app === null ? [] : ['app = {app:String}']),
  ].join(' AND '),
  parameters: { ...(host === null ? {} : { host }), ...(app === null ? {} : { app }) },
});

/** The same as a query, for what can be said of the answer. */
export const queryOf = ({ day, host, app }: Place): Query => ({
  expression: {
    kind: 'and',
    of: [...(host === null ? [] : [senderIs('host', host)]), ...(app === null ? [] : [senderIs('app', app)])],
  },
  since: day,
  until: day === null ? null : nextDay(day),
  around: null,
});
