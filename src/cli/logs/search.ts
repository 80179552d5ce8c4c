import { hit, type Answer, type SearchRequest } from '#wire/search';
import { answer as answerSchema } from '#wire/search';
import { text, type Command, type Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { callSearch } from '../search-socket.ts';
import { hitLine } from './hit-line.ts';

export const logsSearch: Command = {
  name: 'logs search',
  summary: 'find lines; words are joined by AND',
  arguments: '[query...]',
  flags: [
    { flags: '-n, --limit <lines>', description: 'show at most this many lines', default: '100' },
    { flags: '--oldest', description: 'the oldest lines that match instead of the newest' },
    { flags: '--raw', description: 'print the bytes as they were received, one line each' },
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
      if (context.json) context.io.out(`${JSON.stringify(line)}\n`);
      else if (!found.success) printAnswer(context, answerSchema.parse(line));
      else if (flags['raw'] === true)
        process.stdout.write(Buffer.concat([Buffer.from(found.data.raw, 'base64'), Buffer.from('\n')]));
      else context.io.out(hitLine(context.io, found.data));
    }
    return Exit.done;
  },
};

/** How far the answer can be trusted, on stderr, so that stdout stays lines alone. */
const printAnswer = ({ io }: Context, { answer }: Answer): void => {
  const { integrity, completeness, count } = answer;
  const lag = integrity.committed - integrity.indexed;
  const behind = lag > 0 ? `; the index is ${lag} entries behind the vault` : '';
  io.err(io.paint('dim', `${count} ${count === 1 ? 'line matches' : 'lines match'} · `));
  io.err(
    io.paint(
      integrity.verdict === 'altered' ? 'red' : 'dim',
      `integrity: ${integrity.verdict} (${integrity.detail})`,
    ),
  );
  io.err(io.paint('dim', ` · completeness: ${completeness.verdict} (${completeness.detail})${behind}\n`));
  for (const gap of completeness.gaps)
    io.err(
      `  gap: ${gap.sender}: ${gap.count ?? 'an unknown number of'} lost, ${gap.cause}, ${gap.from} – ${gap.until}\n`,
    );
};
