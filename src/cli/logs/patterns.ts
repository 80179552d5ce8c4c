import { printable } from '#base/printable';
import { pattern, patternsFolded, type PatternsFolded, type PatternsRequest } from '#wire/patterns';
import { answer as answerSchema } from '#wire/search';
import { text, type Command } from '../command.ts';
import { Exit } from '../exit.ts';
import type { Io } from '../io.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';
import { formOf, printAnswer, printJson, verboseFlag } from './answer-line.ts';
import { queryIn, wholeNumber } from './query.ts';

export const logsPatterns: Command = {
  name: 'logs patterns',
  summary: 'similar lines folded into one: how many there are, since when, and what is new',
  arguments: '[query...]',
  dashes: 'arguments',
  flags: [
    { flags: '-n, --limit <patterns>', description: 'show at most this many; default 50' },
    {
      flags: '--new-since <time>',
      description: 'only those that no line before that time has: 1h, 2d, 2026-05-12, …',
    },
    verboseFlag,
  ],
  examples: [
    "holdfast logs patterns 'app:sshd since:1d'",
    'holdfast logs patterns --new-since 1h',
    'holdfast logs patterns --json --limit 10',
  ],
  async run({ io, state, json }, args, flags) {
    const limit = wholeNumber(flags, 'limit', { otherwise: 50, most: 10_000 });
    const newSince = text(flags, 'newSince') ?? null;
    const body: PatternsRequest = { query: queryIn(args), newSince, limit };
    const rows: string[][] = [];
    for await (const line of callSearch(state, 'POST', '/patterns', body)) {
      const one = pattern.safeParse(line);
      const folded = patternsFolded.safeParse(line);
      if (json) printJson(io, line);
      else if (one.success) {
        const { lines, share, first, last, app, template, example, isNew } = one.data;
        const doubt = isNew === 'unknown' ? ' (new or not: there was no time to look)' : '';
        rows.push([
          String(lines),
          `${(share * 100).toFixed(1)}%`,
          first.slice(0, 19),
          last.slice(0, 19),
          example,
          app ?? '-',
          `${template}${doubt}`,
        ]);
      } else if (folded.success) {
        if (rows.length > 0)
          io.out(table(io, ['LINES', 'SHARE', 'FIRST', 'LAST', 'EXAMPLE', 'PROGRAM', 'PATTERN'], rows));
        printFolded(io, folded.data, rows.length, newSince);
      } else printAnswer(io, answerSchema.parse(line), formOf(flags));
    }
    return Exit.done;
  },
};

const printFolded = (io: Io, { folded }: PatternsFolded, shown: number, newSince: string | null): void => {
  const { lines, of, patterns } = folded;
  const which = newSince === null ? '' : ` new since ${printable(newSince)}`;
  const some = shown < patterns ? `, of which the ${shown} with most lines are shown` : '';
  io.err(`${patterns} ${patterns === 1 ? 'pattern' : 'patterns'}${which}${some}\n`);
  if (lines < of)
    io.err(
      `of ${of} lines ${lines} were folded, the newest ones: there was no time or no room for more; narrow it by since:, until:, app: or host:\n`,
    );
};
