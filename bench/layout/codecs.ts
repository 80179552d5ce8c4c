import type { Engine } from '../../src/index/engine/engine.ts';
import { codecs, lines } from './alternatives.ts';
import { cpuOf } from './fill.ts';

export type CodecRow = {
  column: string;
  codec: string;
  isKept: boolean;
  bytes: number;
  writeCpuSeconds: number;
  readCpuSeconds: number;
};

const oneThread = 'max_threads = 1, max_insert_threads = 1';

/** Writes each column alone with each codec, in the order that the table has, and reads it again. @throws IndexError */
export const measureCodecs = async (engine: Engine, from: string): Promise<CodecRow[]> => {
  const rows: CodecRow[] = [];
  for (const [column, all] of Object.entries(codecs)) {
    const type = lines.columns.find(([name]) => name === column)?.[1] ?? '';
    const reading = `SELECT ${column} FROM ${from} ORDER BY ${lines.order}`;
    const cost = await writing(engine, `ENGINE = Null`, column, type, reading);
    for (const codec of all) {
      const wrote = await writing(
        engine,
        'ENGINE = MergeTree ORDER BY tuple() SETTINGS min_bytes_for_wide_part = 0',
        column,
        `${type} CODEC(${codec})`,
        reading,
      );
      const [size] = await engine.rows(
        'background',
        `SELECT sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns
        WHERE table = 'layout_codec' AND active`,
      );
      const readCpuSeconds = await cpuOf(() =>
        engine.rows(
          'background',
          `SELECT count() FROM layout_codec WHERE NOT ignore(${column}) SETTINGS ${oneThread}`,
        ),
      );
      rows.push({
        column,
        codec,
        isKept: lines.codecs[column] === codec,
        bytes: Number(size?.['bytes']),
        writeCpuSeconds: wrote - cost,
        readCpuSeconds,
      });
    }
  }
  await engine.run('background', 'DROP TABLE IF EXISTS layout_codec SYNC');
  return rows;
};

const writing = async (
  engine: Engine,
  storage: string,
  column: string,
  type: string,
  reading: string,
): Promise<number> => {
  await engine.run('background', 'DROP TABLE IF EXISTS layout_codec SYNC');
  await engine.run('background', `CREATE TABLE layout_codec (${column} ${type}) ${storage}`);
  await engine.run('background', 'SYSTEM STOP MERGES layout_codec').catch(() => undefined);
  return cpuOf(() =>
    engine.run(
      'background',
      `INSERT INTO layout_codec ${reading} SETTINGS ${oneThread}, optimize_read_in_order = 1`,
    ),
  );
};
