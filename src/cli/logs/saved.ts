import type { StateDirectory } from '#base/state';
import { savedSearch, type ForgetRequest, type SavedSearch, type SaveRequest } from '#wire/saved';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';
import { queryIn } from './query.ts';

export const logsSaved: Command = {
  name: 'logs saved',
  summary: 'searches under a name: list, save NAME QUERY, delete NAME; in any query @NAME stands for one',
  arguments: '[action] [name] [query...]',
  examples: [
    "holdfast logs saved save failed-logins 'app:sshd failed password'",
    'holdfast logs saved list',
    'holdfast logs saved delete failed-logins',
  ],
  async run({ io, state, json }, [action = 'list', name, ...query], _flags) {
    if (action === 'list' && name === undefined) {
      const saved = await listSaved(state);
      if (json) for (const one of saved) io.out(jsonLine(one));
      else if (saved.length === 0) io.err('no search is saved\n');
      else
        io.out(
          table(
            io,
            ['NAME', 'SAVED BY', 'AT', 'QUERY'],
            saved.map((one) => [one.name, one.by ?? '-', one.at, one.query]),
          ),
        );
      return Exit.done;
    }
    if (action === 'save' && name !== undefined && query.length > 0) {
      const body: SaveRequest = { name, query: await expandSaved(state, queryIn(query)) };
      for await (const line of callSearch(state, 'POST', '/save', body)) if (json) io.out(jsonLine(line));
      if (!json) io.err(`saved: holdfast logs search @${name}\n`);
      return Exit.done;
    }
    if (action === 'delete' && name !== undefined && query.length === 0) {
      const body: ForgetRequest = { name };
      for await (const line of callSearch(state, 'POST', '/forget', body)) if (json) io.out(jsonLine(line));
      return Exit.done;
    }
    throw new CliError(
      'usage',
      'write: logs saved list, logs saved save NAME QUERY, or logs saved delete NAME',
    );
  },
};

const listSaved = async (state: StateDirectory): Promise<SavedSearch[]> => {
  const saved: SavedSearch[] = [];
  for await (const line of callSearch(state, 'POST', '/saved', {})) saved.push(savedSearch.parse(line));
  return saved;
};

/** A word that begins with `@`; one in quotes is text. */
const named = /"(?:[^"\\]|\\.)*"|(?<=^|[\s(-])@([A-Za-z0-9][A-Za-z0-9_.-]*)(?=$|[\s)])/g;

/** The query with `(…)` in the place of each `@NAME`. @throws CliError `usage` where there is none of that name */
export const expandSaved = async (state: StateDirectory, query: string): Promise<string> => {
  if ([...query.matchAll(named)].every(([, name]) => name === undefined)) return query;
  const saved = new Map((await listSaved(state)).map((one) => [one.name, one.query]));
  return query.replace(named, (text: string, name: string | undefined) => {
    if (name === undefined) return text;
    const found = saved.get(name);
    if (found === undefined)
      throw new CliError(
        'usage',
        `there is no saved search '${name}'; there are: ${[...saved.keys()].join(', ') || 'none'}\nto search for that text write it in quotes: '"${text}"'`,
      );
    return query === text ? found : `(${found})`;
  });
};
