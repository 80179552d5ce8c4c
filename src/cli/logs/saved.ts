import type { StateDirectory } from '#base/state';
import { savedSearch, type ForgetRequest, type SavedSearch, type SaveRequest } from '#wire/saved';
import { answer as answerSchema, type Answer } from '#wire/search';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';
import { formOf, printAnswer, verboseFlag } from './answer-line.ts';
import { queryIn } from './query.ts';

export const logsSaved: Command = {
  name: 'logs saved',
  summary: 'searches under a name: list, save NAME QUERY, delete NAME; in any query @NAME stands for one',
  arguments: '[action] [name] [query...]',
  flags: [verboseFlag],
  examples: [
    "holdfast logs saved save failed-logins 'app:sshd failed password'",
    'holdfast logs saved list',
    'holdfast logs saved delete failed-logins',
  ],
  async run({ io, state, json }, [action = 'list', name, ...query], flags) {
    if (action === 'list' && name === undefined) {
      const { saved, answers } = await listSaved(state);
      if (json) for (const one of [...saved, ...answers]) io.out(jsonLine(one));
      else if (saved.length > 0)
        io.out(
          table(
            io,
            ['NAME', 'SAVED BY', 'AT', 'QUERY'],
            saved.map((one) => [one.name, one.by ?? '-', one.at, one.query]),
          ),
        );
      const heading = saved.length === 0 ? 'no search is saved' : `${saved.length} saved`;
      if (!json) for (const one of answers) printAnswer(io, one, formOf(flags), heading);
      return Exit.done;
    }
    if (action === 'save' && name !== undefined && query.length > 0) {
      const body: SaveRequest = { name, query: queryIn(query) };
      for await (const line of callSearch(state, 'POST', '/save', body)) if (json) io.out(jsonLine(line));
      if (!json) io.err(`saved: holdfast logs search @${name}\n`);
      return Exit.done;
    }
    if (action === 'delete' && name !== undefined && query.length === 0) {
      const body: ForgetRequest = { name };
      for await (const line of callSearch(state, 'POST', '/forget', body)) if (json) io.out(jsonLine(line));
      if (!json) io.err(`deleted: ${name}\n`);
      return Exit.done;
    }
    throw new CliError(
      'usage',
      'write: logs saved list, logs saved save NAME QUERY, or logs saved delete NAME',
    );
  },
};

const listSaved = async (state: StateDirectory): Promise<{ saved: SavedSearch[]; answers: Answer[] }> => {
  const [saved, answers]: [SavedSearch[], Answer[]] = [[], []];
  for await (const line of callSearch(state, 'POST', '/saved', {})) {
    const found = savedSearch.safeParse(line);
    if (found.success) saved.push(found.data);
    else answers.push(answerSchema.parse(line));
  }
  return { saved, answers };
};
