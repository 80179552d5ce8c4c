import { z } from 'zod';
import { micros } from '#base/clock';
import { caretBelow } from '#cli/caret';
import { SearchError } from '#search/errors';
import { asksWhenReceived, fieldNamed, parseQuery } from '#search/query';
import { alertName, alertRule, alertSeverities, type AlertRule, type Watch } from '#wire/alert';
import { parseDuration } from './duration.ts';

const duration = z.string().transform((text, context) => {
  const seconds = parseDuration(text);
  if (seconds !== null) return seconds;
  context.addIssue(`'${text}' is no length of time: 30s, 5m, 2h, 3d or 1w`);
  return z.NEVER;
});

/** `[[alert]]` of the configuration file: one of `count`, `new` and `silence`, and what goes with it. */
export const alertTable = z.strictObject({
  name: alertName,
  /** Of the query language of `logs search`; left out: every line but Holdfast's own. */
  query: z.string().default(''),
  /** Fires at so many lines within `within`. */
  count: z.int().min(1).optional(),
  within: duration.optional(),
  /** Fires at what was not seen before: `pattern` (the form of a message), or the name of a field, e.g. `user`. */
  new: z.string().optional(),
  /** Fires where nothing more comes from a `host`, an `app`, or another field; several are looked at together. */
  silence: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** How long silence may last; left out: learned from what was usual. */
  after: duration.optional(),
  /** `count`: counts for each value of these fields by itself. `new`: new together with their values. */
  by: z.union([z.string(), z.array(z.string())]).optional(),
  /** How long to look on before anything counts as new, or as silent; a day if left out. */
  learn: duration.optional(),
  severity: z.enum(alertSeverities).default('warning'),
  /** Names of `[[notify]]`; left out: it is a line in the log and nothing more. */
  notify: z.union([z.string(), z.array(z.string())]).default([]),
});
type AlertTable = z.infer<typeof alertTable>;

const newDoor = 'new-door';

/** These, and unless one of them has its name, the rule that tells of a door for the network that was not there before. */
export const withNewDoor = (tables: readonly AlertTable[], notify: string[]): readonly AlertTable[] =>
  tables.some(({ name }) => name === newDoor)
    ? tables
    : [
        ...tables,
        alertTable.parse({
          name: newDoor,
          query: 'app:holdfast kind=door event=opened -scope=local',
          count: 1,
          within: '1m',
          by: 'door',
          notify,
        }),
      ];

const day = 86_400;

const listOf = (value: string | readonly string[] | undefined): string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : [...value];

/**
 * The rule that a table means.
 * @param fail ends it with what is wrong, in words
 * @throws what `fail` throws
 */
export const ruleOf = (table: AlertTable, fail: (message: string) => never): AlertRule => {
  const wrong = (message: string): never => fail(`alert "${table.name}": ${message}`);
  checkQuery(table.query, wrong);
  const rule = alertRule.safeParse({
    name: table.name,
    query: table.query,
    watch: watchOf(table, wrong),
    severity: table.severity,
    notify: listOf(table.notify),
  });
  if (rule.success) return rule.data;
  return wrong(rule.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
};

const watchOf = (table: AlertTable, wrong: (message: string) => never): Watch => {
  const kinds = (['count', 'new', 'silence'] as const).filter((key) => table[key] !== undefined);
  if (kinds.length !== 1) return wrong('it takes one of count, new and silence: what it is to wait for');
  const refuse = (keys: readonly (keyof AlertTable)[], kind: string): void => {
    for (const key of keys) if (table[key] !== undefined) wrong(`${key} says nothing of ${kind}`);
  };
  const by = fieldsOf(table.by, wrong);
  const learn = table.learn ?? day;
  if (table.count !== undefined) {
    refuse(['after', 'learn'], 'a count');
    if (table.within === undefined) return wrong('count takes within as well, e.g. within = "5m"');
    return { for: 'count', lines: table.count, within: table.within, by };
  }
  if (table.new !== undefined) {
    refuse(['within', 'after'], 'what is new');
    return { for: 'new', field: fieldOf(table.new, wrong), by, learn };
  }
  refuse(['within', 'by'], 'silence');
  return { for: 'silence', by: fieldsOf(table.silence, wrong), after: table.after ?? null, learn };
};

const noFields: readonly (string | null)[] = ['since', 'until', 'around', 'address', 'received'];

/** What a name means to the query language, by its first name there: `program` is `app`. */
const fieldOf = (name: string, wrong: (message: string) => never): string => {
  const field = fieldNamed(name);
  if (noFields.includes(field))
    return wrong(
      `'${name}' is no field of a line: host, app, source, via, listener, severity, facility, pid, message, or one such as user`,
    );
  return field ?? name;
};

const fieldsOf = (
  names: string | readonly string[] | undefined,
  wrong: (message: string) => never,
): string[] => [...new Set(listOf(names).map((name) => fieldOf(name, wrong)))];

const checkQuery = (query: string, wrong: (message: string) => never): void => {
  try {
    const { expression, since, until, around } = parseQuery(query, micros(0), 'unknown');
    if (since !== null || until !== null || around !== null || asksWhenReceived(expression))
      wrong(
        'query: since:, until:, around: and received: have no place here, a rule looks at each line as it comes',
      );
  } catch (error) {
    if (!(error instanceof SearchError)) throw error;
    const caret = error.column === null ? '' : caretBelow(query, error.column);
    wrong(`query: ${error.message}${caret}${error.suggestion === null ? '' : `\n${error.suggestion}`}`);
  }
};
