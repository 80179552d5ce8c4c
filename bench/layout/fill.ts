import type { Engine, TableDefinition } from '../../src/index/engine/engine.ts';
import { mergeTree } from '../../src/index/engine/merge-tree.ts';
import { addressIndex, fieldIndex } from '../../src/index/schema.ts';
import type { Alternative } from './alternatives.ts';

/** CPU seconds of all threads, bytes on disk. */
export type Filled = {
  /** Reading what was inserted, which is the same for all, is not in it. */
  insertCpuSeconds: number;
  mergeCpuSeconds: number;
  bytes: number;
  tokenIndexBytes: number;
  columnBytes: Record<string, number>;
};

/** What one insert brings: as many lines as are merged at first while a backlog is taken in. */
const rowsOfInsert = 1_048_576;

/** An insert is one part: sorted, and its indices built. */
const inserting =
  'max_threads = 1, max_insert_threads = 1, min_insert_block_size_rows = 4194304, min_insert_block_size_bytes = 4294967296';

/**
 * Fills a table with the rows of `lines` in the vault's order, some entries at a time, and merges all into one part.
 * @throws IndexError
 */
export const fillTable = async (
  engine: Engine,
  { definition }: Alternative,
  lines: number,
  readingCpuSeconds: number,
): Promise<Filled> => {
  const { name } = definition;
  await create(engine, definition);
  await engine.run('background', `SYSTEM STOP MERGES ${name}`);
  const insertCpuSeconds = (await copy(engine, name, columnsOf(definition), lines)) - readingCpuSeconds;
  await engine.run('background', `SYSTEM START MERGES ${name}`);
  const mergeCpuSeconds = await cpuOf(() =>
    engine.run('background', `OPTIMIZE TABLE ${name} FINAL SETTINGS alter_sync = 2`),
  );
  await engine.deletePartsNow(definition);
  return { insertCpuSeconds, mergeCpuSeconds, ...(await sizes(engine, name)) };
};

const create = async (engine: Engine, definition: TableDefinition): Promise<void> => {
  const { columns, storage } = mergeTree(definition);
  await engine.run('background', `DROP TABLE IF EXISTS ${definition.name} SYNC`);
  await engine.run(
    'background',
    `CREATE TABLE ${definition.name} (\n${columns}\n) ENGINE = MergeTree\n${storage}`,
  );
};

const copy = async (engine: Engine, table: string, columns: string, lines: number): Promise<number> => {
  const [last] = await engine.rows('background', 'SELECT max(entry) + 1 AS entries FROM lines');
  const entries = Number(last?.['entries'] ?? 0);
  const step = Math.max(1, Math.ceil((entries * rowsOfInsert) / lines));
  return cpuOf(async () => {
    for (let from = 0; from < entries; from += step)
      await engine.run(
        'background',
        `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM lines WHERE entry >= ${from} AND entry < ${from + step} SETTINGS ${inserting}`,
      );
  });
};

export const columnsOf = ({ columns }: TableDefinition): string =>
  columns.map(([column]) => column).join(', ');

/** CPU seconds of reading what is inserted. @throws IndexError */
export const costOfReading = async (engine: Engine, columns: string, lines: number): Promise<number> => {
  await engine.run('background', 'DROP TABLE IF EXISTS layout_nowhere SYNC');
  await engine.run(
    'background',
    `CREATE TABLE layout_nowhere ENGINE = Null AS SELECT ${columns} FROM lines LIMIT 0`,
  );
  const seconds = await copy(engine, 'layout_nowhere', columns, lines);
  await engine.run('background', 'DROP TABLE layout_nowhere SYNC');
  return seconds;
};

const sizes = async (
  engine: Engine,
  table: string,
): Promise<Pick<Filled, 'bytes' | 'tokenIndexBytes' | 'columnBytes'>> => {
  const [parts] = await engine.rows(
    'background',
    `SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE table = '${table}' AND active`,
  );
  const [index] = await engine.rows(
    'background',
    `SELECT sum(data_compressed_bytes) AS bytes FROM system.data_skipping_indices
    WHERE table = '${table}' AND name NOT IN ('${fieldIndex}', '${addressIndex}') AND type IN ('text', 'tokenbf_v1')`,
  );
  const columns = await engine.rows(
    'background',
    `SELECT column, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns
    WHERE table = '${table}' AND active GROUP BY column ORDER BY bytes DESC`,
  );
  return {
    bytes: Number(parts?.['bytes']),
    tokenIndexBytes: Number(index?.['bytes'] ?? 0),
    columnBytes: Object.fromEntries(columns.map((row) => [String(row['column']), Number(row['bytes'])])),
  };
};

/** The engine runs in this process. */
export const cpuOf = async (work: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};
