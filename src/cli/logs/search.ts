import { hit, type SearchRequest } from '#wire/search';
import { answer as answerSchema } from '#wire/search';
import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { printAnswer } from './answer-line.ts';
import { hitLine } from './hit-line.ts';
import { printRaw } from './raw-line.ts';

export const logsSearch: Command = {
  name: 'logs search',
  summary: 'find lines; words are joined by AND',
  arguments: '[query...]',
  flags: [
    { flags: '-n, --limit <lines>', description: 'show at most this many lines', default: '100' },
    { flags: '--oldest', description: 'the oldest lines that match instead of the newest' },
    {
      flags: '--raw',
      description: 'print the bytes as they were received, one line each; escaped on a terminal',
    },
  ],
  examples: [
    "holdfast logs search 'failed password' since:1h",
    "holdfast logs search 'host:web* app:nginx severity:<=err'",
    'holdfast logs search --json --limit 10 app:sshd',
  ],
  async run(context, args, flags) {
    const limit = Number(text(flags, 'limit') ?? '100');
    if (!Number.isInteger(limit) || limit < 0)
      throw new CliError('usage', `--limit takes a whole number, not '${text(flags, 'limit')}'`);
    const body: SearchRequest = {
      query: args.join(' '),
      limit,
      from: flags['oldest'] === true ? 'oldest' : 'newest',
    };
    for await (const line of callSearch(context.state, 'POST', '/search', body)) {
      const found = hit.safeParse(line);
      if (context.json) context.io.out(jsonLine(line));
      else if (!found.success) printAnswer(context.io, answerSchema.parse(line));
      else if (flags['raw'] === true) printRaw(context.io, Buffer.from(found.data.raw, 'base64'));
      else context.io.out(hitLine(context.io, found.data));
    }
    return Exit.done;
  },
};
