import { z } from 'zod';
import { senderFigures, source, type SenderFigures } from '#wire/search';
import { printable } from '#base/printable';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';

export const logsSources: Command = {
  name: 'logs sources',
  summary:
    'who sends what: host, program, way in, number of lines, first and last; and of each sender what was lost, torn or refused',
  examples: ['holdfast logs sources', 'holdfast logs sources --json # one line of sources, one of senders'],
  async run({ io, state, json }) {
    for await (const line of callSearch(state, 'GET', '/sources')) {
      const sources = z.array(source).parse(line);
      if (json) io.out(jsonLine(sources));
      else {
        io.out(
          table(
            io,
            ['HOST', 'PROGRAM', 'FROM', 'VIA', 'LINES', 'FIRST', 'LAST'],
            sources.map((row) => [
              row.host ?? '-',
              row.app ?? '-',
              row.source,
              row.via,
              String(row.lines),
              row.first,
              row.last,
            ]),
          ),
        );
      }
    }
    for await (const line of callSearch(state, 'GET', '/senders')) {
      const senders = z.array(senderFigures).parse(line);
      if (json) io.out(jsonLine({ senders }));
      else io.out(`\n${table(io, senderHead, senders.map(senderCells))}${causesOf(senders)}`);
    }
    return Exit.done;
  },
};

const senderHead = [
  'SENDER',
  'CERTIFICATE',
  'LINES',
  'LAST',
  'LOST',
  'TORN',
  'REFUSED',
  'HELD BACK',
  'MISMATCH',
  'HOSTS',
];

const orDash = (count: number): string => (count === 0 ? '-' : String(count));

const senderCells = (row: SenderFigures): string[] => [
  row.sender ?? 'nobody can tell',
  row.names.join(',') || '-',
  String(row.lines),
  row.last ?? '-',
  orDash(row.lost),
  orDash(row.torn),
  orDash(row.refused),
  row.heldBack === 0 ? '-' : `${row.heldBack} s`,
  orDash(row.mismatched),
  String(row.hosts),
];

/** What stands behind the figures, where there is something. */
const causesOf = (senders: readonly SenderFigures[]): string => {
  const lines = senders.flatMap(({ sender, causes }) =>
    causes.map(
      ({ kind, cause, count, last }) =>
        `  ${printable(sender ?? 'nobody can tell')}: ${printable(kind)}, ${printable(cause)}: ${count}, last at ${last}\n`,
    ),
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
};
