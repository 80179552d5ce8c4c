import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';

/** Each has one statement at a time; what waits is begun in its order, by whichever is free first. */
export type Connections = {
  all: readonly ClickHouseClient[];
  take(): Promise<ClickHouseClient>;
  giveBack(client: ClickHouseClient): void;
};

const openConnection = (path: string): ClickHouseClient => {
  const connection = createChdbConnection({ path });
  // @ts-expect-error chdb is typed against client-common's copy of the same types, whose classes have private members
  return createClient({ connection });
};

export const openConnections = (path: string, number: number): Connections => {
  const all = Array.from({ length: number }, () => openConnection(path));
  const free = [...all];
  const waiting: ((client: ClickHouseClient) => void)[] = [];
  return {
    all,
    async take() {
      return free.pop() ?? new Promise((resolve) => waiting.push(resolve));
    },
    giveBack(client) {
      const next = waiting.shift();
      if (next === undefined) free.push(client);
      else next(client);
    },
  };
};

const mostDrains = 8;

/**
 * What a statement that failed had given by then is what the connection gives as the answer of the next one: it is asked
 * until it answers what it was asked.
 */
export const drain = async (client: ClickHouseClient): Promise<void> => {
  for (let turn = 0; turn < mostDrains; turn += 1) {
    try {
      const { stream } = await client.exec({ query: `SELECT toUInt8(${turn}) FORMAT RowBinary` });
      const given: number[] = [];
      for await (const chunk of stream) given.push(...Buffer.from(chunk).subarray(0, 2));
      if (given.length === 1 && given[0] === turn) return;
    } catch {
      // asked again
    }
  }
};
