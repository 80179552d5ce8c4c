import { answer as answerSchema, hit, type Hit, type SearchRequest } from '#wire/search';
import type { Command, Context, Flags } from '../command.ts';
import { text } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { formOf, printAnswer, printJson, verboseFlag } from './answer-line.ts';
import { printCounts } from './counts.ts';
import { addressed, hitLine } from './hit-line.ts';
import { queryIn, wholeNumber } from './query.ts';
import { printRaw } from './raw-line.ts';

export const logsSearch: Command = {
  name: 'logs search',
  summary: 'find lines, or count them; words are joined by AND',
  arguments: '[query...]',
  dashes: 'arguments',
  flags: [
    {
      flags: '-n, --limit <lines>',
      description: 'show at most this many lines (100 unless told), or with --by groups (20)',
    },
    { flags: '--newest', description: 'the newest first; unless told they stand last, as in a log file' },
    { flags: '--oldest', description: 'the oldest lines that match instead of the newest' },
    {
      flags: '--all-vaults',
      description: 'also the lines of other vaults whose indexes are on the same servers (docs/cluster.md)',
    },
    { flags: '--address', description: 'begin each line with its address, for logs context and vault prove' },
    {
      flags: '--raw',
      description: 'print the bytes as they were received, one line each; escaped on a terminal',
    },
    { flags: '--count', description: 'print only how many lines match' },
    {
      flags: '--by <fields>',
      description: 'count by these, e.g. host,app or user, the most first',
    },
    { flags: '--histogram', description: 'draw how many lines match over time' },
    verboseFlag,
  ],
  examples: [
    "holdfast logs search 'failed password' since:1h",
    "holdfast logs search 'host:web* app:nginx severity:<=err'",
    'holdfast logs search --json --limit 10 app:sshd',
    "holdfast logs search --by host,app 'severity:<=err since:1d'",
    "holdfast logs search --histogram --by host 'failed password since:1d'",
  ],
  async run(context, args, flags) {
    const query = queryIn(args);
    const by = fieldsIn(flags);
    const histogram = flags['histogram'] === true;
    if (!histogram && by.length === 0 && flags['count'] !== true) return list(context, query, flags);
    for (const name of ['raw', 'newest', 'oldest', 'address'])
      if (flags[name] === true)
        throw new CliError('usage', `--${name} is about lines; --count, --by and --histogram show none`);
    const top = Math.max(1, wholeNumber(flags, 'limit', { otherwise: 20, most: 10_000 }));
    return printCounts(context, {
      query,
      by,
      top,
      histogram: histogram ? 'drawn' : 'none',
      form: formOf(flags),
      vaults: flags['allVaults'] === true ? 'all' : 'own',
    });
  },
};

const fieldsIn = (flags: Flags): string[] => {
  const given = text(flags, 'by');
  if (given === undefined) return [];
  const names = given.split(',').map((name) => name.trim());
  if (names.length > 5 || names.includes(''))
    throw new CliError('usage', `--by takes one to five names with commas between them, not '${given}'`);
  return names;
};

const list = async (context: Context, query: string, flags: Flags): Promise<Exit> => {
  if (flags['newest'] === true && flags['oldest'] === true)
    throw new CliError('usage', '--newest and --oldest cannot both come first');
  const limit = wholeNumber(flags, 'limit', { otherwise: 100, most: 100_000 });
  const body: SearchRequest = {
    query,
    limit,
    from: flags['oldest'] === true ? 'oldest' : 'newest',
    total: 'skip',
    vaults: flags['allVaults'] === true ? 'all' : 'own',
  };
  const show = (line: Hit): void => {
    if (context.json) context.io.out(jsonLine(line));
    else if (flags['raw'] === true) printRaw(context.io, Buffer.from(line.raw, 'base64'));
    else
      context.io.out(
        `${flags['address'] === true ? addressed(context.io, line) : ''}${hitLine(context.io, line)}`,
      );
  };
  const held: Hit[] = [];
  for await (const line of callSearch(context.state, 'POST', '/search', body)) {
    const found = hit.safeParse(line);
    if (found.success) {
      if (flags['newest'] === true) held.push(found.data);
      else show(found.data);
      continue;
    }
    for (const one of held.toReversed()) show(one);
    if (context.json) printJson(context.io, line);
    else printAnswer(context.io, answerSchema.parse(line), formOf(flags));
  }
  return Exit.done;
};
