import type { Index } from '#index';
import { printable } from '#base/printable';
import type { Counts } from '#wire/counts';
import { SearchError } from '../errors.ts';
import { fieldNamed, nearestField } from '../query/field-names.ts';
import { fieldText } from './field-text.ts';
import type { Rows } from '../matching-lines.ts';

type Groups = Pick<Counts['counts'], 'groups' | 'others'>;

/**
 * Matching lines by what they have in common.
 * @throws SearchError `bad-request` for a name that nothing can be counted by; IndexError
 */
export const groupsOf = async (
  index: Index,
  { from, parameters, settings }: Rows,
  by: readonly string[],
  top: number,
): Promise<Groups> => {
  const keys = by.map((name, at) => keyOf(name, `key${at}`));
  const columns = keys.map((sql, at) => `${sql} AS k${at}`);
  const names = keys.map((_, at) => `k${at}`).join(', ');
  const bound = Object.fromEntries(by.map((name, at) => [`key${at}`, name]));
  const rows = await index.engine.rows(
    'interactive',
    `SELECT ${names}, n, count() OVER () AS every, sum(n) OVER () AS total
    FROM (SELECT ${columns.join(', ')}, count() AS n FROM ${from} GROUP BY ${names})
    ORDER BY n DESC, ${names} LIMIT ${top}${settings}`,
    { ...parameters, ...bound },
  );
  const groups = rows.map((row) => ({
    values: keys.map((_, at) => text(String(row[`k${at}`]))),
    count: Number(row['n']),
  }));
  refuseMisspelt(by, groups);
  const [first] = rows;
  const listed = groups.reduce((sum, { count }) => sum + count, 0);
  return {
    groups,
    others: {
      groups: Number(first?.['every'] ?? 0) - groups.length,
      count: Number(first?.['total'] ?? 0) - listed,
    },
  };
};

const text = (value: string): string | null => (value === '' ? null : printable(value));

const keyOf = (name: string, parameter: string): string => {
  const sql = fieldText(name, parameter);
  if (sql !== null) return sql;
  throw new SearchError('bad-request', `lines cannot be counted by ${name}`, {
    suggestion:
      'count by host, app, source, via, listener, severity, facility, pid, message or a field such as user',
  });
};

/** A name that no line has, and that is nearly another, was meant to be that. */
const refuseMisspelt = (by: readonly string[], groups: Groups['groups']): void => {
  for (const [at, name] of by.entries()) {
    const near = fieldNamed(name) === null ? nearestField(name) : null;
    if (near !== null && groups.length > 0 && groups.every(({ values }) => values[at] === null))
      throw new SearchError('bad-request', `no line that matches has a field "${name}"`, {
        suggestion: `did you mean ${near}?`,
      });
  }
};
