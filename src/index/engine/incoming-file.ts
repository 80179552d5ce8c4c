import { open } from 'node:fs/promises';
import type { TableLayout } from './engine.ts';

/** A file through which rows get into the engine. */
export const writeRows = async (file: string, rows: readonly Uint8Array[]): Promise<void> => {
  const handle = await open(file, 'wx', 0o600);
  try {
    const { bytesWritten } = await handle.writev(rows);
    if (bytesWritten < rows.reduce((sum, { length }) => sum + length, 0))
      throw new Error(`${file} was cut short at ${bytesWritten} bytes: is the disk full?`);
  } finally {
    await handle.close();
  }
};

/**
 * The engine takes binary formats only from files. The path is ours; quoting keeps an odd directory name harmless.
 * In rows, columns of low cardinality are read as plain strings: the reader would look up each value's place one by one,
 * while the insert does it by column, at a quarter of the cost. One thread: there is one block, or two.
 * @param indices those that merges build otherwise (schema.ts)
 */
export const insertStatement = (
  { name, format, columns }: TableLayout,
  file: string,
  indices: 'now' | 'late',
): string => {
  const structure = columns
    .map(([column, type]) =>
      format === 'Native'
        ? `${column} ${type}`
        : `${column} ${type.replaceAll('LowCardinality(String)', 'String')}`,
    )
    .join(', ');
  const settings = [
    'max_threads = 1',
    ...(indices === 'now' ? [`exclude_materialize_skip_indexes_on_insert = ''`] : []),
  ];
  return `INSERT INTO ${name} SELECT * FROM file(${quote(file)}, ${format}, ${quote(structure)}) SETTINGS ${settings.join(', ')}`;
};

export const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
