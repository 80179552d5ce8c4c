import { field, fieldsRead, type FieldsRequest } from '#wire/fields';
import { answer as answerSchema } from '#wire/search';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';
import { formOf, printAnswer, printJson, verboseFlag } from './answer-line.ts';
import { queryIn, wholeNumber } from './query.ts';

export const logsFields: Command = {
  name: 'logs fields',
  summary:
    'which fields lines have (user=, status=, …), how many lines have each, and the most frequent values',
  arguments: '[query...]',
  dashes: 'arguments',
  flags: [
    { flags: '-n, --limit <fields>', description: 'show at most this many; default 100' },
    { flags: '--values <values>', description: 'show so many values of each; default 5' },
    verboseFlag,
  ],
  examples: ['holdfast logs fields since:1d', 'holdfast logs fields --values 20 app:nginx'],
  async run({ io, state, json }, args, flags) {
    const body: FieldsRequest = {
      query: queryIn(args),
      limit: wholeNumber(flags, 'limit', { otherwise: 100, most: 5000 }),
      values: wholeNumber(flags, 'values', { otherwise: 5, most: 50 }),
    };
    const rows: string[][] = [];
    for await (const line of callSearch(state, 'POST', '/fields', body)) {
      const one = field.safeParse(line);
      const read = fieldsRead.safeParse(line);
      if (json) printJson(io, line);
      else if (one.success) {
        const { name, lines, share, values } = one.data;
        const shown = values.map(
          ({ value, lines: n, atLeast }) => `${value === '' ? '""' : value} (${atLeast ? '≥' : ''}${n})`,
        );
        rows.push([name, String(lines), `${(share * 100).toFixed(1)}%`, shown.join(', ')]);
      } else if (read.success) {
        const { lines, of, fields } = read.data.read;
        if (rows.length > 0) io.out(table(io, ['FIELD', 'LINES', 'SHARE', 'MOST FREQUENT VALUES'], rows));
        const some = rows.length < fields ? `, of which the ${rows.length} of most lines are shown` : '';
        io.err(`${fields} ${fields === 1 ? 'field' : 'fields'}${some}\n`);
        if (lines < of)
          io.err(
            `of ${of} lines ${lines} were read, the newest ones: there was no time for more; narrow it by since:, until:, app: or host:\n`,
          );
      } else printAnswer(io, answerSchema.parse(line), formOf(flags));
    }
    return Exit.done;
  },
};
