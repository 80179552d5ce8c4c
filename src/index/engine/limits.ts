import type { Lane } from './engine.ts';

export type Settings = Readonly<Record<string, string | number>>;

/**
 * What every statement of a lane is bounded by, whichever the engine.
 * @param memory bytes
 * @param seconds of one interactive statement; one that is given up runs on in the engine until then
 */
export const laneSettings = (memory: number, seconds: number): Record<Lane, Settings> => {
  const perStatement = { max_memory_usage: Math.floor(memory * 0.7) };
  // Values stand in the text of a statement: up to 1,000 names of 255 bytes, in hexadecimal digits.
  const bounded = { ...perStatement, max_execution_time: seconds, max_query_size: 4_194_304 };
  return {
    ingest: { ...perStatement, max_partitions_per_insert_block: 0 },
    // A page of lines is held whole before it goes out.
    interactive: {
      ...bounded,
      max_result_bytes: 268_435_456,
      result_overflow_mode: 'throw',
      query_plan_max_limit_for_lazy_materialization: 10_000,
    },
    background: perStatement,
    readonly: {
      ...bounded,
      max_result_rows: 100_000,
      max_result_bytes: 67_108_864,
      result_overflow_mode: 'throw',
      readonly: 1,
    },
  };
};
