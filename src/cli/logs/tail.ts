import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { answer, hit, type Answer, type Hit } from '#wire/search';
import type { Command, Context, Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { printAnswer, printJson } from './answer-line.ts';
import { hitLine } from './hit-line.ts';
import { queryIn, wholeNumber } from './query.ts';
import { printRaw } from './raw-line.ts';

export const logsTail: Command = {
  name: 'logs tail',
  summary: 'show lines as they come, also where the indexer begins anew meanwhile; Ctrl-C ends it',
  arguments: '[query...]',
  dashes: 'arguments',
  flags: [
    { flags: '-n, --backlog <lines>', description: 'begin with this many of the newest lines; default 10' },
    { flags: '--lines <lines>', description: 'the same' },
    {
      flags: '--raw',
      description: 'print the bytes as they were received, one line each; escaped on a terminal',
    },
  ],
  examples: ['holdfast logs tail', "holdfast logs tail --backlog 100 'host:db1 severity:<=warning'"],
  async run(context, args, flags) {
    const { io } = context;
    const print = printerOf(context, flags);
    const query = queryIn(args);
    let backlog = wholeNumber(flags, 'backlog', {
      otherwise: wholeNumber(flags, 'lines', { otherwise: 10, most: 1000 }),
      most: 1000,
    });
    let position: string | null = null;
    for (let away = 0; ; away += 1) {
      try {
        for await (const line of callSearch(context.state, 'POST', '/tail', {
          query,
          backlog,
          resume: position,
          answers: true,
        })) {
          if (away > 0) io.err(io.paint('yellow', '— the indexer is back: going on where it was —\n'));
          away = 0;
          const found = hit.safeParse(line);
          const there = positioned.safeParse(line);
          const lost = dropped.safeParse(line);
          const worth = answer.safeParse(line);
          if (there.success) position = there.data.position;
          else if (found.success) {
            print(found.data);
            if (position !== null) position = after(found.data);
          } else if (worth.success) {
            if (context.json) printJson(io, line);
            else if (!isOrdinary(worth.data)) printAnswer(io, worth.data, 'brief');
          } else if (lost.success) {
            if (context.json) io.out(jsonLine(lost.data));
            io.err(
              io.paint(
                'yellow',
                `— ${lost.data.dropped} lines were not shown: this reader was too slow; they are in the log —\n`,
              ),
            );
          }
        }
      } catch (error) {
        // What was asked is wrong, or there was no indexer to begin with.
        if (!(error instanceof CliError) || error.code === 'usage' || position === null) throw error;
      }
      if (position === null) throw new CliError('not-running', 'the indexer ended before it had answered');
      if (away === 0)
        io.err(
          io.paint('yellow', '— the indexer has ended: waiting for it to come back; no line is lost —\n'),
        );
      backlog = 0;
      await sleep(Math.min(2000, 200 * (away + 1)));
    }
  },
};

/** Whether nothing of it keeps anybody from reading on. */
const isOrdinary = ({ answer: { integrity, completeness, freshness } }: Answer): boolean =>
  integrity.verdict === 'unaltered' &&
  completeness.verdict !== 'known gaps' &&
  freshness.verdict !== 'contradicted';

const positioned = z.object({ position: z.string() });
const dropped = z.object({ dropped: z.int() });

/** The position behind a line. */
const after = ({ address }: Hit): string => {
  const [line = address, part = '0'] = address.split('/');
  return `${line}/${Number(part) + 1}`;
};

const printerOf = ({ io, json }: Context, flags: Flags): ((found: Hit) => void) => {
  if (json) return (found) => io.out(jsonLine(found));
  if (flags['raw'] === true) return (found) => printRaw(io, Buffer.from(found.raw, 'base64'));
  return (found) => io.out(hitLine(io, found));
};
