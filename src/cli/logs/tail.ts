import { hit } from '#wire/search';
import { text, type Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { hitLine } from './hit-line.ts';

export const logsTail: Command = {
  name: 'logs tail',
  summary: 'show lines as they come; Ctrl-C ends it',
  arguments: '[query...]',
  flags: [
    { flags: '-n, --lines <lines>', description: 'begin with this many of the newest lines', default: '10' },
  ],
  examples: ['holdfast logs tail', "holdfast logs tail 'host:db1 severity:<=warning'"],
  async run(context, args, flags) {
    const { io } = context;
    const body = {
      query: args.join(' '),
      backlog: Math.min(1000, Math.max(0, Math.trunc(Number(text(flags, 'lines') ?? '10')) || 0)),
    };
    for await (const line of callSearch(context.state, 'POST', '/tail', body)) {
      if (context.json) {
        io.out(jsonLine(line));
        continue;
      }
      const found = hit.safeParse(line);
      if (found.success) io.out(hitLine(io, found.data));
      else if (typeof line === 'object' && line !== null && 'dropped' in line) {
        io.err(
          io.paint(
            'yellow',
            `— ${String(line.dropped)} lines were not shown: this reader was too slow; they are in the log —\n`,
          ),
        );
      }
    }
    return Exit.done;
  },
};
