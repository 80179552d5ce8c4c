import type { OtherVault } from '#index';
import type { Rows } from '../matching-lines.ts';
import { compileQuery } from '../query/compile.ts';
import type { Query } from '../query/expression.ts';

/** All that lines are counted by: the tables of other vaults may be of another version. */
export const columns = 'time, host, app, source, via, listener, severity, facility, pid, message, fields';

/**
 * The lines of this vault and of others on the same servers, each as far as its own indexer has got. Who the others'
 * senders are is not known here, so names are asked for by their patterns.
 * @param searched a condition on this vault's rows
 */
export const rowsOfAll = (query: Query, searched: string, others: readonly OtherVault[]): Rows => {
  const { where, parameters } = compileQuery(query, () => 'many');
  const tables = [
    { table: 'lines', within: searched },
    ...others.map(({ table, entries }) => ({ table, within: `entry < ${entries}` })),
  ];
  const each = tables.map(
    ({ table, within }) => `SELECT ${columns} FROM ${table} WHERE ${within} AND ${where}`,
  );
  return { from: `(${each.join(' UNION ALL ')})`, parameters, settings: '' };
};
