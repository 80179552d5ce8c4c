import type { Micros } from '#base/clock';
import type { Engine, Parameters } from '#index';
import { hitColumns, readHits, type Condition } from '#search';
import type { AlertEvent, AlertRule, Sample } from '#wire/alert';
import { keySql, type Key } from './keys.ts';
import type { Store } from './store.ts';

/** One look of a rule at entries [from, to) of the log, each of which it looks at once. */
export type Look = {
  rule: AlertRule;
  /** The rule's query, and that a line is not one that alerts have said. */
  condition: Condition;
  from: number;
  to: number;
  /** What was received up to here has been looked at, once this look is done; `null` where more is indexed by now. */
  heldUntil: Micros | null;
  engine: Engine;
  /** Bound of one statement: others wait for the lane that it runs in. */
  seconds: number;
  store: Store;
  /** A name for what begins now, e.g. `7f3a90c1-12`. */
  newEpisode(): string;
};

/** What a look comes to. Nothing is kept, and nothing said, before `keep` has run with the new position in one step. */
export type Outcome = {
  events: AlertEvent[];
  keep(): void;
  /** Entries below this were looked at, if not all. */
  to?: number;
};

/** Event times are µs here. */
export const µs = (column: 'time' | 'received'): string => `toUnixTimestamp64Micro(${column})`;

/** Lines that a look is about. */
export const within = ({ from, to }: Look): string => `entry >= ${from} AND entry < ${to}`;

/** @throws IndexError */
export const select = (
  { engine, condition, seconds }: Pick<Look, 'engine' | 'condition' | 'seconds'>,
  sql: string,
  parameters: Parameters = {},
): Promise<Record<string, unknown>[]> =>
  engine.rows('background', `${sql} ${bounded(seconds)}`, { ...condition.parameters, ...parameters });

const bounded = (seconds: number): string => `SETTINGS max_execution_time = ${seconds}`;

/** The newest lines with this key, among those that were looked at. @throws IndexError */
export const samplesOf = async (
  { engine, condition, seconds, to }: Look,
  names: readonly string[],
  key: Key,
  bounds: { since: number; until: number; most: number },
): Promise<Sample[]> => {
  const { sql, parameters } = keySql(names);
  const rows = await engine.binary(
    'background',
    `SELECT ${hitColumns} FROM lines WHERE entry < ${to}
      AND time BETWEEN fromUnixTimestamp64Micro(${bounds.since}) AND fromUnixTimestamp64Micro(${bounds.until})
      AND ${condition.where}${names.length === 0 ? '' : ` AND ${sql} = {key:Array(String)}`}
      ORDER BY time DESC, entry DESC, line DESC, part DESC LIMIT ${bounds.most} ${bounded(seconds)}`,
    { ...condition.parameters, ...parameters, ...(names.length === 0 ? {} : { key: [...key] }) },
  );
  return readHits(rows).map(({ address, time, host, app, message }) => ({
    address,
    time,
    host,
    app,
    message: message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message,
  }));
};

const longestMessage = 500;
