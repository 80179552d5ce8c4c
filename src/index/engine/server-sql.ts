import { hash } from 'node:crypto';
import type { TableDefinition, TableLayout } from './engine.ts';
import { quote } from './incoming-file.ts';
import { mergeTree } from './merge-tree.ts';
import type { ServerPlace } from './server-place.ts';

/** The database of one vault: nobody else writes to it. */
export type ServerDatabase = Pick<ServerPlace, 'cluster'> & {
  name: string;
  /** Origin of the vault. */
  vault: string;
};

/** Origins are longer than a name of a database may be, and have other characters. */
export const databaseOf = ({ database, cluster }: ServerPlace, vault: string): ServerDatabase => ({
  name: `${database}_${hash('sha256', vault, 'hex').slice(0, 16)}`,
  vault,
  cluster,
});

export const besideOf = (database: ServerDatabase): ServerDatabase => ({
  ...database,
  name: `${database.name}_beside`,
});

const onCluster = ({ cluster }: ServerDatabase): string =>
  cluster === null ? '' : ` ON CLUSTER ${quote(cluster)}`;

/** Where the rows are: a table on each server of a cluster, in front of which stands a distributed one. */
export const storedIn = ({ cluster }: ServerDatabase, { name }: TableLayout): string =>
  cluster === null ? name : `${name}_local`;

export const createDatabase = (database: ServerDatabase): string =>
  `CREATE DATABASE IF NOT EXISTS ${database.name}${onCluster(database)} ENGINE = Atomic`;

export const dropDatabase = (database: ServerDatabase): string =>
  `DROP DATABASE IF EXISTS ${database.name}${onCluster(database)} SYNC`;

/** Blocks whose tokens a server by itself remembers; replicated tables do so anyway. */
const rememberBlocks = 'non_replicated_deduplication_window = 1000';

/**
 * Each row carries its vault, so that rows of several can be told apart where they are read together. On a cluster the
 * rows are replicated within a shard and spread over shards by entry.
 */
export const createTable = (database: ServerDatabase, table: TableDefinition): string[] => {
  const { name, cluster, vault } = database;
  const clauses = mergeTree(table, cluster === null ? [rememberBlocks] : []);
  const family = cluster === null ? clauses.family : `Replicated${clauses.family}`;
  const stored = storedIn(database, table);
  const columns = `${clauses.columns},\n  vault LowCardinality(String) DEFAULT ${quote(vault)}`;
  const local = `CREATE TABLE IF NOT EXISTS ${name}.${stored}${onCluster(database)} (\n  ${columns}\n) ENGINE = ${family}(${clauses.arguments.join(', ')})\n${clauses.storage}\n${clauses.comment}`;
  if (cluster === null) return [local];
  return [
    local,
    `CREATE TABLE IF NOT EXISTS ${name}.${table.name}${onCluster(database)} AS ${name}.${stored} ENGINE = Distributed(${quote(cluster)}, ${name}, ${stored}, ${table.placed})\n${clauses.comment}`,
  ];
};

export const dropTable = (database: ServerDatabase, table: TableLayout): string[] =>
  [...new Set([table.name, storedIn(database, table)])].map(
    (name) => `DROP TABLE IF EXISTS ${database.name}.${name}${onCluster(database)} SYNC`,
  );

export const deleteRows = (database: ServerDatabase, table: TableLayout, condition: string): string =>
  `ALTER TABLE ${database.name}.${storedIn(database, table)}${onCluster(database)} DELETE WHERE ${condition} SETTINGS mutations_sync = 2`;

export const exchangeTables = (database: ServerDatabase, table: TableLayout): string => {
  const stored = storedIn(database, table);
  return `EXCHANGE TABLES ${database.name}.${stored} AND ${besideOf(database).name}.${stored}${onCluster(database)}`;
};

export const insertRows = (table: TableLayout): string =>
  `INSERT INTO ${table.name} (${table.columns.map(([name]) => name).join(', ')}) FORMAT ${table.format}`;

/** Ends inserts whose sender has given them up or died, so that they do not come in late. */
export const endInserts = (database: ServerDatabase, prefix: string): string =>
  `KILL QUERY${onCluster(database)} WHERE startsWith(initial_query_id, ${quote(prefix)}) SYNC`;

/** Databases of all vaults but this one's. */
export const otherDatabases = ({ database }: ServerPlace, own: ServerDatabase): string =>
  `SELECT name FROM system.databases WHERE match(name, ${quote(`^${database}_[0-9a-f]{16}$`)}) AND name != ${quote(own.name)} ORDER BY name`;

/** Of one of them: whose it is, how far it is, and of which layout. */
export const otherProgress = (name: string): string =>
  `SELECT entry, vault, JSONExtractString(state, 'version') AS version FROM ${name}.progress ORDER BY revision DESC LIMIT 1`;

/** What tables of both sets were said to be when they were made. */
export const tableComments = (database: ServerDatabase): string =>
  `SELECT database, name, comment FROM system.tables WHERE database IN (${quote(database.name)}, ${quote(besideOf(database).name)})`;
