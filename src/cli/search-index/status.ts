import { printable } from '#base/printable';
import { health, type Health } from '#wire/search';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';

export const indexStatus: Command = {
  name: 'index status',
  summary: 'how far the search index is, and whether it stands still',
  examples: ['holdfast index status'],
  async run({ io, state, json }) {
    let exit: Exit = Exit.done;
    for await (const line of callSearch(state, 'GET', '/health')) {
      const found = health.parse(line);
      io.out(json ? jsonLine(found) : render(found));
      if (found.trouble !== null) exit = Exit.bad;
    }
    return exit;
  },
};

const render = ({ indexed, committed, lines, residentBytes, trouble, reparsing }: Health): string => {
  const said = [
    `${indexed} of ${committed} entries of the vault are in the index: ${lines} lines.`,
    ...(trouble === null ? [] : [`It stands still: ${printable(Buffer.from(trouble))}`]),
    ...(reparsing === null
      ? []
      : [
          `Parser ${reparsing.to} is reading history again: ${reparsing.entry} of ${indexed} entries; until then lines are found as ${reparsing.from === null ? 'earlier parsers' : `parser ${reparsing.from}`} read them.`,
        ]),
    `The indexer has ${Math.round(residentBytes / 1024 / 1024)} MiB of memory.`,
  ];
  return `${said.join('\n')}\n`;
};
