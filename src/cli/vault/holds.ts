import { formatMicros } from '#base/rfc3339';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { table } from '../table.ts';

export const vaultHolds: Command = {
  name: 'vault holds',
  summary: 'list legal holds, those that were released too',
  examples: ['holdfast vault holds', 'holdfast vault holds --json'],
  async run(context) {
    const { io } = context;
    const keeper = await import('./keeper.ts');
    const { holdsOf } = await import('#vault/read');
    const holds = await keeper.explained(() => holdsOf(keeper.readVault(context).amendments().all()));
    if (context.json)
      io.out(
        jsonLine(
          holds.map(({ index, entry, released }) => ({
            hold: index,
            first: entry.entries.first,
            end: entry.entries.end,
            reason: entry.reason,
            by: entry.by,
            since: formatMicros(entry.committed),
            released:
              released === null
                ? null
                : {
                    entry: released.index,
                    reason: released.entry.reason,
                    by: released.entry.by,
                    at: formatMicros(released.entry.committed),
                  },
          })),
        ),
      );
    else if (holds.length === 0) io.out('There is no legal hold, and there never was one.\n');
    else
      io.out(
        table(
          io,
          ['HOLD', 'ENTRIES', 'SINCE', 'STATE', 'BY', 'REASON'],
          holds.map(({ index, entry, released }) => [
            String(index),
            `${entry.entries.first}..${entry.entries.end - 1}`,
            formatMicros(entry.committed).slice(0, 19),
            released === null ? 'in force' : `released by entry ${released.index}`,
            entry.by,
            entry.reason,
          ]),
        ),
      );
    return Exit.done;
  },
};
