import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { messageOf } from '#base/errors';
import { IndexError } from '../errors.ts';
import type { Engine, Lane, OtherVault, Parameters, TableLayout } from './engine.ts';
import { asIndexError, isAway } from './failure.ts';
import { laneSettings, type Settings } from './limits.ts';
import { indexVersion } from '../schema.ts';
import type { ServerPlace } from './server-place.ts';
import {
  besideOf,
  createDatabase,
  createTable,
  databaseOf,
  deleteRows,
  dropDatabase,
  dropTable,
  endInserts,
  exchangeTables,
  insertRows,
  otherDatabases,
  otherProgress,
  tableComments,
  type ServerDatabase,
} from './server-sql.ts';

export type ServerOptions = ServerPlace & {
  /** Read when the index is opened. */
  password: () => string;
  /** Certificates of authorities, PEM; `null`: those that Node trusts. */
  ca: Buffer | null;
  /** Origin of the vault, `null` before it has a checkpoint. */
  vault: () => string | null;
  /** Bound of one statement's memory on a server, bytes. Default 4 GiB. */
  memory?: number;
  /** Bound of one interactive statement, seconds. Default 20. */
  interactiveSeconds?: number;
};

/**
 * ClickHouse on one server or a cluster, over HTTP. Opens without asking anybody: that a server is away shows with the
 * first statement, as `engine-away`, and is over as soon as it is back.
 */
export const openServerEngine = (options: ServerOptions): Engine => {
  let opened: { own: Statements; database: ServerDatabase } | null = null;
  let second: Promise<Engine> | null = null;
  let closed = false;

  const open = (): { own: Statements; database: ServerDatabase } => {
    if (closed)
      throw new IndexError('engine-closed', 'the index was closed; ask again once the indexer is back');
    if (opened !== null) return opened;
    const vault = options.vault();
    if (vault === null)
      throw new IndexError(
        'engine-away',
        'the vault has no checkpoint yet, so it is not known whose index to look for',
      );
    const database = databaseOf(options, vault);
    opened = { own: connectTo(database), database };
    return opened;
  };
  const connectTo = (database: ServerDatabase): Statements => {
    try {
      return statementsOf(options, database);
    } catch (error) {
      throw new IndexError('engine-away', `the index cannot be asked: ${messageOf(error)}`, { cause: error });
    }
  };
  /** So that what `open` throws is a rejection. */
  const own = async (): Promise<Statements> => open().own;

  const openBeside = async (): Promise<Engine> => {
    const beside = besideOf(open().database);
    const statements = statementsOf(options, beside);
    await statements.make(createDatabase(beside));
    return {
      ...statements,
      beside: refuseBeside,
      hasBeside: () => Promise.resolve(false),
      takeOver: refuseBeside,
      dropBeside: refuseBeside,
      comments: refuseBeside,
      otherVaults: () => Promise.resolve([]),
    };
  };

  return {
    run: async (lane, sql, parameters) => (await own()).run(lane, sql, parameters),
    rows: async (lane, sql, parameters) => (await own()).rows(lane, sql, parameters),
    binary: async (lane, sql, parameters) => (await own()).binary(lane, sql, parameters),
    insert: async (table, rows) => (await own()).insert(table, rows),
    stage: async (table, rows) => (await own()).stage(table, rows),
    async createTables(tables) {
      const { own: statements, database } = open();
      await statements.make(createDatabase(database));
      await statements.createTables(tables);
    },
    dropTables: async (tables) => (await own()).dropTables(tables),
    deleteRows: async (table, condition) => (await own()).deleteRows(table, condition),
    settle: async () => (await own()).settle(),
    deleteOldParts: () => Promise.resolve(),
    deletePartsNow: () => Promise.resolve(),
    buildIndices: () => Promise.resolve(0),
    letMerge: () => Promise.resolve(),
    async otherVaults() {
      const { own: statements, database } = open();
      const found: OtherVault[] = [];
      for (const { name } of await statements.everywhere(otherDatabases(options, database))) {
        const [row] = await statements.everywhere(otherProgress(String(name)));
        if (row === undefined || !String(row['version']).startsWith(`${indexVersion}.`)) continue;
        found.push({
          vault: String(row['vault']),
          table: `${String(name)}.lines`,
          entries: Number(row['entry']),
        });
      }
      return found;
    },
    beside() {
      second ??= openBeside().catch((error: unknown) => {
        second = null;
        throw error;
      });
      return second;
    },
    async hasBeside() {
      const { own: statements, database } = open();
      const rows = await statements.everywhere(
        `SELECT name FROM system.databases WHERE name = '${besideOf(database).name}'`,
      );
      return rows.length > 0;
    },
    async takeOver(tables) {
      const { own: statements, database } = open();
      for (const table of tables) await statements.make(exchangeTables(database, table));
    },
    async dropBeside() {
      const { own: statements, database } = open();
      const other = second;
      second = null;
      if (other !== null) await (await other).close();
      await statements.make(dropDatabase(besideOf(database)));
    },
    async comments() {
      const { own: statements, database } = open();
      const rows = await statements.everywhere(tableComments(database));
      const of = (name: string): Map<string, string> =>
        new Map(
          rows
            .filter((row) => row['database'] === name)
            .map((row) => [String(row['name']).replace(/_local$/, ''), String(row['comment'])]),
        );
      return { here: of(database.name), beside: of(besideOf(database).name) };
    },
    async close() {
      closed = true;
      if (second !== null) await (await second.catch(() => null))?.close();
      await opened?.own.close();
    },
  };
};

const refuseBeside = (): Promise<never> =>
  Promise.reject(new IndexError('engine-statement', 'a second set of tables has none beside it'));

type Statements = Omit<
  Engine,
  'beside' | 'hasBeside' | 'takeOver' | 'dropBeside' | 'comments' | 'otherVaults'
> & {
  /** A statement that makes, changes or deletes tables, outside of any database. */
  make(sql: string): Promise<void>;
  /** A SELECT outside of any database. */
  everywhere(sql: string): Promise<Record<string, unknown>[]>;
};

/** A client gives up a little after the server should have. */
const graceMs = 15_000;
/** Mutations and DDL answer when all servers are done. */
const patienceMs = 3_600_000;
const insertMs = 180_000;

const connections: Record<Lane, number> = { ingest: 2, interactive: 16, background: 4, readonly: 4 };

/** One set of tables on the server. */
const statementsOf = (options: ServerOptions, database: ServerDatabase): Statements => {
  const seconds = options.interactiveSeconds ?? 20;
  const limits = laneSettings(options.memory ?? 4 * 1024 ** 3, seconds);
  const timeouts: Record<Lane, number> = {
    ingest: insertMs,
    interactive: seconds * 1000 + graceMs,
    background: patienceMs,
    readonly: seconds * 1000 + graceMs,
  };
  const connect = (lane: Lane, use: string): ClickHouseClient =>
    createClient({
      url: options.url,
      username: options.user,
      password: options.password(),
      database: use,
      application: 'holdfast',
      request_timeout: timeouts[lane],
      max_open_connections: connections[lane],
      // It would write what goes wrong to the process's output, in its own form; errors come back to the caller anyway.
      log: { level: ClickHouseLogLevel.OFF },
      clickhouse_settings: {
        ...everyStatement,
        ...(database.cluster === null ? {} : onCluster),
        ...limits[lane],
      },
      ...(options.ca === null ? {} : { tls: { ca_cert: options.ca } }),
    });
  const clients = {
    ingest: connect('ingest', database.name),
    interactive: connect('interactive', database.name),
    background: connect('background', database.name),
    readonly: connect('readonly', database.name),
  };
  const outside = connect('background', 'default');
  const prefix = `holdfast-${database.name}-`;

  const tried = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asIndexError(error, options.url);
    }
  };

  const command = (client: ClickHouseClient, query: string, parameters?: Parameters): Promise<void> =>
    tried(async () => {
      await client.command({ query, ...(parameters === undefined ? {} : { query_params: parameters }) });
    });

  const insertOnce = async (table: TableLayout, rows: readonly Uint8Array[], token: string): Promise<void> =>
    tried(async () => {
      const { stream } = await clients.ingest.exec({
        query: insertRows(table),
        values: Readable.from(rows, { objectMode: false }),
        query_id: `${prefix}${randomUUID()}`,
        clickhouse_settings: { insert_deduplication_token: token },
      });
      for await (const _ of stream);
    });

  /** A block that is sent again under its token, because nobody knows whether it arrived, comes in once. */
  const insert = async (table: TableLayout, rows: readonly Uint8Array[]): Promise<void> => {
    const token = randomUUID();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await insertOnce(table, rows, token);
      } catch (error) {
        const pause = retryPausesMs[attempt];
        if (pause === undefined || !isAway(error)) throw error;
        await sleep(pause);
      }
    }
  };

  return {
    run: (lane, sql, parameters) => command(clients[lane], sql, parameters),
    rows: (lane, query, parameters) =>
      tried(async () => {
        const result = await clients[lane].query({
          query,
          format: 'JSONEachRow',
          ...(parameters === undefined ? {} : { query_params: parameters }),
        });
        return result.json<Record<string, unknown>>();
      }),
    binary: (lane, sql, parameters) =>
      tried(async () => {
        const { stream } = await clients[lane].exec({
          query: `${sql}\nFORMAT RowBinary`,
          ...(parameters === undefined ? {} : { query_params: parameters }),
        });
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(Buffer.from(chunk));
        return Buffer.concat(chunks);
      }),
    insert,
    stage(table, rows) {
      const own = rows.map((piece) => Buffer.from(piece));
      return Promise.resolve({ insert: () => insert(table, own), discard: () => Promise.resolve() });
    },
    async createTables(tables) {
      for (const table of tables)
        for (const statement of createTable(database, table)) await command(outside, statement);
    },
    async dropTables(tables) {
      for (const table of tables)
        for (const statement of dropTable(database, table)) await command(outside, statement);
    },
    deleteRows: (table, condition) => command(outside, deleteRows(database, table, condition)),
    settle: () => command(outside, endInserts(database, prefix)),
    deleteOldParts: () => Promise.resolve(),
    deletePartsNow: () => Promise.resolve(),
    buildIndices: () => Promise.resolve(0),
    letMerge: () => Promise.resolve(),
    make: (sql) => command(outside, sql),
    everywhere: (query) =>
      tried(async () =>
        (await outside.query({ query, format: 'JSONEachRow' })).json<Record<string, unknown>>(),
      ),
    async close() {
      await Promise.all([...Object.values(clients), outside].map((client) => client.close()));
    },
  };
};

const retryPausesMs = [250, 500, 1000];

const everyStatement: Settings = {
  // An error after the first bytes of an answer would look like its end.
  wait_end_of_query: 1,
  async_insert: 0,
};

/**
 * What was inserted is on most replicas of its shard when the insert answers, and a statement sees all that was, or is
 * refused; a shard that is away is an error, never fewer lines.
 */
const onCluster: Settings = {
  distributed_foreground_insert: 1,
  insert_quorum: 'auto',
  insert_quorum_parallel: 0,
  insert_quorum_timeout: 60_000,
  select_sequential_consistency: 1,
  skip_unavailable_shards: 0,
  distributed_ddl_task_timeout: 180,
};
