import { mkdirSync, rmSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { Session } from 'chdb';
import { messageOf } from '#base/errors';
import { IndexError } from '../errors.ts';
import { lateIndices } from '../schema.ts';
import { drain, openConnections, type Connections } from './connections.ts';
import type { Engine, EngineOptions, Lane, Parameters, StagedRows, TableLayout } from './engine.ts';
import { buildLateIndices } from './late-indices.ts';
import { mergeTree } from './merge-tree.ts';
import { deleteOldParts, deletePartsNow } from './old-parts.ts';
import { withLiterals } from './literals.ts';
import { laneSettings, type Settings } from './limits.ts';
import { asIndexError } from './failure.ts';
import { insertStatement, quote, writeRows } from './incoming-file.ts';
import { giveBack, waitForRoom, watchRoom } from './room.ts';

const gibibyte = 1024 ** 3;

/**
 * ClickHouse inside this process (chDB). The engine locks its directory: one process at a time.
 * @throws IndexError `engine-open`
 */
export const openEngine = async (options: EngineOptions): Promise<Engine> => {
  // Each statement holds one of libuv's threads while it runs, and files are read in them. Read at their first use.
  process.env['UV_THREADPOOL_SIZE'] ??= String(threads);
  const memory = options.memory ?? gibibyte;
  const database = join(options.path, 'engine');
  const incoming = join(options.path, 'incoming');
  const cannotOpen = (error: unknown): IndexError =>
    new IndexError(
      'engine-open',
      `cannot open the index at ${options.path}: ${messageOf(error)}. What the engine says is on stderr: if it is locked, another indexer has it; if it is damaged, delete the directory and it is made again from the vault`,
      {
        cause: error,
      },
    );
  let holder: Session;
  try {
    mkdirSync(database, { recursive: true });
    // Limits of the whole engine can only be given to the first connection; it stays open and runs nothing.
    holder = new Session(database, { connectionArgs: serverLimits(memory) });
  } catch (error) {
    throw cannotOpen(error);
  }
  try {
    // Only now that the directory is ours: another indexer may have rows there that wait to be inserted.
    rmSync(incoming, { recursive: true, force: true });
    mkdirSync(incoming);
  } catch (error) {
    holder.close();
    throw cannotOpen(error);
  }
  const settings = laneSettings(memory, options.interactiveSeconds ?? 20);
  const openLanes = async (names: readonly Lane[], use: string): Promise<Lanes> => {
    const lanes: Lanes = new Map(
      names.map((lane) => [lane, openConnections(database, connectionsOf[lane] ?? 1)]),
    );
    for (const [lane, { all }] of lanes)
      for (const client of all)
        for (const query of [`USE ${use}`, ...setStatements(settings[lane], ownSettings[lane])])
          await client.command({ query });
    return lanes;
  };
  try {
    return await openBoth(openLanes, incoming, memory, () => holder.close());
  } catch (error) {
    holder.close();
    throw asIndexError(error);
  }
};

const here = 'default';
const besideName = 'beside';

/** The engine with its own tables, and that with the tables beside them. */
const openBoth = async (
  openLanes: (names: readonly Lane[], use: string) => Promise<Lanes>,
  incoming: string,
  memory: number,
  closeEngine: () => void,
): Promise<Engine> => {
  const own = statementsOf(
    await openLanes(['ingest', 'interactive', 'background', 'readonly'], here),
    incoming,
    here,
    memory,
  );
  const stopWatching = watchRoom(own, memory);
  let second: Promise<Engine> | null = null;

  const openBeside = async (): Promise<Engine> => {
    await own.run('background', `CREATE DATABASE IF NOT EXISTS ${besideName}`);
    const statements = statementsOf(
      await openLanes(['ingest', 'background'], besideName),
      incoming,
      besideName,
      memory,
    );
    return { ...statements, ...nothingBeside };
  };

  const engine: Engine = {
    ...own,
    beside() {
      second ??= openBeside().catch((error: unknown) => {
        second = null;
        throw asIndexError(error);
      });
      return second;
    },
    async hasBeside() {
      const rows = await own.rows(
        'background',
        `SELECT name FROM system.databases WHERE name = '${besideName}'`,
      );
      return rows.length > 0;
    },
    async takeOver(tables) {
      for (const { name } of tables)
        await own.run('ingest', `EXCHANGE TABLES ${here}.${name} AND ${besideName}.${name}`);
    },
    async dropBeside() {
      const opened = second;
      second = null;
      if (opened !== null) await (await opened).close();
      await own.run('background', `DROP DATABASE IF EXISTS ${besideName} SYNC`);
    },
    async comments() {
      const rows = await own.rows(
        'background',
        `SELECT database, name, comment FROM system.tables WHERE database IN ('${here}', '${besideName}')`,
      );
      const of = (database: string): Map<string, string> =>
        new Map(
          rows
            .filter((row) => row['database'] === database)
            .map((row) => [String(row['name']), String(row['comment'])]),
        );
      return { here: of(here), beside: of(besideName) };
    },
    async close() {
      stopWatching();
      if (second !== null) await (await second.catch(() => null))?.close();
      await own.close();
      closeEngine();
    },
  };
  return engine;
};

const refuseBeside = (): Promise<never> =>
  Promise.reject(new IndexError('engine-statement', 'a second set of tables has none beside it'));

const nothingBeside = {
  beside: refuseBeside,
  hasBeside: () => Promise.resolve(false),
  takeOver: refuseBeside,
  dropBeside: refuseBeside,
  comments: refuseBeside,
};

/** Caches default to gigabytes, which suits a machine that does nothing else. */
const serverLimits = (memory: number): string[] => [
  `--max_server_memory_usage=${memory}`,
  // As many merges at once as threads for them, not twice as many.
  '--background_merges_mutations_concurrency_ratio=1',
  // Where both want the processor, searches go first. Without CAP_SYS_NICE nothing changes.
  '--os_threads_nice_value_merge_mutate=10',
  `--mark_cache_size=${Math.floor(memory / 16)}`,
  `--index_mark_cache_size=${Math.floor(memory / 32)}`,
  `--primary_index_cache_size=${Math.floor(memory / 32)}`,
  `--text_index_tokens_cache_size=${Math.floor(memory / 32)}`,
  `--text_index_header_cache_size=${Math.floor(memory / 32)}`,
  `--text_index_postings_cache_size=${Math.floor(memory / 32)}`,
  `--query_condition_cache_size=${Math.floor(memory / 64)}`,
];

/**
 * A merge that builds the text indexes takes some 250 MiB for a million lines, which is what 16 inserts bring. What one
 * insert brings goes into few files: as one for each column it is 134 of them, with 490 buffers.
 *
 * Where a column's blocks begin is in memory before the first search asks for it, as far as the cache goes (a sixteenth of
 * the engine's memory): else each part costs the first search that finds something in it 42 files.
 */
const partSettings = [
  'max_parts_to_merge_at_once = 8',
  'min_bytes_for_wide_part = 67108864',
  'prewarm_mark_cache = 1',
];

/**
 * The engine wants a gibibyte free for each thread of a statement, and of less than two gives it a single one. Each has
 * buffers and tables of its own, so on large machines there are not as many as processors.
 */
const severalThreads: Settings = {
  max_threads: Math.min(availableParallelism(), 4),
  max_threads_min_free_memory_per_thread: 33_554_432,
};

/** What only makes sense where inserts go through files on the same machine, and caches are this process's own. */
const ownSettings: Partial<Record<Lane, Settings>> = {
  ingest: {
    exclude_materialize_skip_indexes_on_insert: lateIndices.join(', '),
    max_insert_threads: 1,
    min_insert_block_size_rows: 4_194_304,
    min_insert_block_size_bytes: 268_435_456,
  },
  // A search is counted and then shown, and words that are in many lines are in many searches.
  interactive: { use_text_index_postings_cache: 1, ...severalThreads },
  readonly: severalThreads,
  background: { max_threads: 1 },
};

/** `readonly` last: after it no setting can be changed. */
const setStatements = (...settings: (Settings | undefined)[]): string[] => {
  const { readonly, ...rest } = Object.assign({}, ...settings) as Settings;
  const all = readonly === undefined ? rest : { ...rest, readonly };
  return Object.entries(all).map(
    ([name, value]) => `SET ${name} = ${typeof value === 'number' ? value : quote(value)}`,
  );
};

/** So that nobody's heavy search holds back everybody's: each is two statements or more. */
const connectionsOf: Partial<Record<Lane, number>> = { interactive: 8, readonly: 2 };
/** One for each statement of searches, inserts and the background, and as many as libuv has by itself for files. */
const threads = 16;

type Lanes = ReadonlyMap<Lane, Connections>;
type Statements = Omit<Engine, 'beside' | 'hasBeside' | 'takeOver' | 'dropBeside' | 'comments'>;

const statementsOf = (lanes: Lanes, incoming: string, prefix: string, memory: number): Statements => {
  let closed = false;
  let closing: Promise<void> | null = null;
  let files = 0;

  const closeAll = async (): Promise<void> => {
    const all = [...lanes.values()].flatMap((connections) => connections.all.map(() => connections.take()));
    // Whatever was waiting comes first.
    for (const client of await Promise.all(all)) await client.close();
  };

  const inLane = async <T>(lane: Lane, work: (client: ClickHouseClient) => Promise<T>): Promise<T> => {
    if (closed)
      throw new IndexError('engine-closed', 'the index was closed; ask again once the indexer is back');
    const connections = lanes.get(lane);
    if (connections === undefined)
      throw new IndexError('engine-statement', `tables that nobody searches have no lane ${lane}`);
    const client = await connections.take();
    try {
      return await work(client);
    } catch (error) {
      await drain(client);
      throw asIndexError(error);
    } finally {
      connections.giveBack(client);
    }
  };

  const run = async (lane: Lane, sql: string, parameters?: Parameters): Promise<void> => {
    await inLane(lane, (client) => client.command({ query: withLiterals(sql, parameters) }));
  };

  const rows = (lane: Lane, sql: string, parameters?: Parameters): Promise<Record<string, unknown>[]> =>
    inLane(lane, async (client) => {
      const result = await client.query({ query: withLiterals(sql, parameters), format: 'JSONEachRow' });
      return result.json<Record<string, unknown>>();
    });

  const stage = async (table: TableLayout, blocks: readonly Uint8Array[]): Promise<StagedRows> => {
    const file = join(incoming, `${prefix}-${table.name}-${(files += 1)}.rows`);
    const discard = (): Promise<void> => unlink(file).catch(() => undefined);
    try {
      await writeRows(file, blocks);
    } catch (error) {
      await discard();
      throw asIndexError(error);
    }
    return {
      async insert(indices: 'now' | 'late' = 'late') {
        try {
          await waitForRoom({ rows }, memory);
          await run('ingest', insertStatement(table, file, indices));
          await giveBack({ run }, memory);
        } catch (error) {
          throw asIndexError(error);
        } finally {
          await discard();
        }
      },
      discard,
    };
  };

  return {
    run,
    rows,
    async createTables(tables) {
      for (const table of tables) {
        const { columns, family, arguments: given, storage, comment } = mergeTree(table, partSettings);
        await run(
          'background',
          `CREATE TABLE IF NOT EXISTS ${table.name} (\n  ${columns}\n) ENGINE = ${family}(${given.join(', ')})\n${storage}\n${comment}`,
        );
      }
    },
    async dropTables(tables) {
      for (const { name } of tables) await run('background', `DROP TABLE IF EXISTS ${name} SYNC`);
    },
    deleteRows: ({ name }, condition) =>
      run('background', `ALTER TABLE ${name} DELETE WHERE ${condition} SETTINGS mutations_sync = 2`),
    otherVaults: () => Promise.resolve([]),
    // Inserts end with the process, and one that fails has ended.
    settle: () => Promise.resolve(),
    deleteOldParts: (tables) => deleteOldParts({ run, rows }, tables),
    deletePartsNow: (table) => deletePartsNow({ run, rows }, table),
    // In the lane of inserts: statements in that of the background may be waiting for merges.
    letMerge: ({ name }, merges) =>
      run('ingest', `SYSTEM ${merges === 'wait' ? 'STOP' : 'START'} MERGES ${name}`),
    buildIndices: (table, indices) => buildLateIndices({ run, rows }, table, indices),
    binary: (lane, sql, parameters) =>
      inLane(lane, async (client) => {
        const { stream } = await client.exec({ query: `${withLiterals(sql, parameters)}\nFORMAT RowBinary` });
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(Buffer.from(chunk));
        return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      }),
    insert: async (table, blocks, indices) => (await stage(table, blocks)).insert(indices),
    stage,
    close() {
      closed = true;
      closing ??= closeAll();
      return closing;
    },
  };
};
