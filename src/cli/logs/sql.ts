import { answer as answerSchema } from '#wire/search';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';
import { formOf, printAnswer, verboseFlag } from './answer-line.ts';

export const logsSql: Command = {
  name: 'logs sql',
  summary:
    'one SELECT over the table "lines" in ClickHouse SQL; at most 20 seconds, 100000 rows and 64 MiB of answer',
  arguments: '<sql...>',
  flags: [verboseFlag],
  examples: [
    "holdfast logs sql 'SELECT host, app, count() FROM lines GROUP BY ALL ORDER BY 3 DESC LIMIT 10'",
    'holdfast logs sql --json "SELECT toStartOfHour(time) AS hour, countIf(severity <= 3) AS errors FROM lines GROUP BY hour ORDER BY hour"',
  ],
  async run({ io, state, json }, args, flags) {
    const sql = args.join(' ').replace(/;\s*$/, '');
    const rows: Record<string, unknown>[] = [];
    let before: unknown;
    // The last line is the answer, whatever a row may look like.
    for await (const line of callSearch(state, 'POST', '/sql', { sql })) {
      if (before !== undefined && json) io.out(jsonLine(before));
      else if (before !== undefined) rows.push(z.record(z.string(), z.unknown()).parse(before));
      before = line;
    }
    if (json) io.out(jsonLine(before));
    else {
      const head = Object.keys(rows[0] ?? {});
      if (rows.length > 0)
        io.out(
          table(
            io,
            head,
            rows.map((row) => head.map((name) => cell(row[name]))),
          ),
        );
      printAnswer(
        io,
        answerSchema.parse(before),
        formOf(flags),
        `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`,
      );
    }
    return Exit.done;
  },
};

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'string' ? value : JSON.stringify(value);
};
