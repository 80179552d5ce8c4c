import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';

export const indexRebuild: Command = {
  name: 'index rebuild',
  summary: 'make the search index again from the vault; answers are the same afterwards',
  examples: ['holdfast index rebuild'],
  async run({ io, state, json }) {
    for await (const line of callSearch(state, 'POST', '/rebuild', {})) {
      io.out(
        json
          ? jsonLine(line)
          : 'The index is being made again from the vault; until it has caught up, answers say how far it has come.\n',
      );
    }
    return Exit.done;
  },
};
