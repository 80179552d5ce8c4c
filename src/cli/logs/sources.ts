import { z } from 'zod';
import { source } from '#wire/search';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';

export const logsSources: Command = {
  name: 'logs sources',
  summary: 'who sends what: host, program, way in, number of lines, first and last',
  examples: ['holdfast logs sources', 'holdfast logs sources --json'],
  async run({ io, state, json }) {
    for await (const line of callSearch(state, 'GET', '/sources')) {
      const sources = z.array(source).parse(line);
      if (json) io.out(jsonLine(sources));
      else {
        io.out(
          table(
            io,
            ['HOST', 'PROGRAM', 'FROM', 'VIA', 'LINES', 'FIRST', 'LAST'],
            sources.map((row) => [
              row.host ?? '-',
              row.app ?? '-',
              row.source,
              row.via,
              String(row.lines),
              row.first,
              row.last,
            ]),
          ),
        );
      }
    }
    return Exit.done;
  },
};
