import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Tally } from './tally.ts';

/** Looks at every line of every file below `out`. */
export const lookAtFiles = async (out: string, ticked: Pick<Tally, 'line' | 'lines'>): Promise<void> => {
  for (const entry of readdirSync(out, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of createReadStream(join(entry.parentPath, entry.name), {
      highWaterMark: 1 << 20,
    })) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      rest = bytes.subarray(bytes.length - ticked.lines(bytes));
    }
    if (rest.length > 0) ticked.line(rest);
  }
};
