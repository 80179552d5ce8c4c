import { contextHit, type ContextRequest } from '#wire/context';
import { answer as answerSchema } from '#wire/search';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { callSearch } from '../search-socket.ts';
import { formOf, printAnswer, printJson, verboseFlag } from './answer-line.ts';
import { addressed, hitLine } from './hit-line.ts';
import { wholeNumber } from './query.ts';

export const logsContext: Command = {
  name: 'logs context',
  summary: 'the lines before and after a line: of its host, or of all hosts in that second',
  arguments: '<address>',
  flags: [
    {
      flags: '-n, --lines <lines>',
      description: 'at most this many before it, and after it (10 unless told)',
    },
    { flags: '--all-hosts', description: 'of all hosts, in the second of the line' },
    verboseFlag,
  ],
  examples: [
    'holdfast logs context 1:1 # addresses are shown by: holdfast logs search --address',
    'holdfast logs context --all-hosts --lines 50 1:1',
  ],
  async run({ io, state, json }, [address = ''], flags) {
    const lines = wholeNumber(flags, 'lines', { otherwise: 10, most: 10_000 });
    const hosts = flags['allHosts'] === true ? 'all' : 'own';
    const body: ContextRequest = { address, before: lines, after: lines, hosts };
    let shown = 0;
    for await (const line of callSearch(state, 'POST', '/context', body)) {
      const found = contextHit.safeParse(line);
      if (json) printJson(io, line);
      else if (found.success) {
        shown += 1;
        const mark = found.data.asked === true ? io.paint('bold', '> ') : '  ';
        io.out(`${mark}${addressed(io, found.data)}${hitLine(io, found.data)}`);
      } else {
        const answered = answerSchema.parse(line);
        const { count } = answered.answer;
        printAnswer(
          io,
          answered,
          formOf(flags),
          hosts === 'own' ? `${shown} lines` : `${shown} of the ${count} lines of that second`,
        );
      }
    }
    return Exit.done;
  },
};
