import { branch, leafLine, leafNext, type Branch, type LeafRequest } from '#wire/browse';
import { answer as answerSchema } from '#wire/search';
import { printable } from '#base/printable';
import type { Command, Context } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { callSearch } from '../search-socket.ts';
import { table } from '../table.ts';
import { formOf, printAnswer, verboseFlag, type AnswerForm } from './answer-line.ts';
import { byteSize } from './byte-size.ts';
import { printRaw } from './raw-line.ts';

export const logsBrowse: Command = {
  name: 'logs browse',
  summary: 'the log as a tree of files, day/host/program; a whole path prints that file',
  arguments: '[path]',
  flags: [
    {
      flags: '--raw',
      description: 'of a file: the exact bytes also of what came as no line of text (journal, kernel)',
    },
    verboseFlag,
  ],
  examples: [
    'holdfast logs browse # days, in UTC, by the time of the line',
    'holdfast logs browse today',
    'holdfast logs browse 2026-05-12/web1/sshd # that file; PATHs are as listed',
  ],
  async run(context, [path = ''], flags) {
    if (path.split('/').length < 3 || path.split('/').slice(2).join('/') === '') {
      if (flags['raw'] === true)
        throw new CliError('usage', `--raw is for a file, DAY/HOST/PROGRAM: '${path}' lists what lies below`);
      return list(context, path, formOf(flags));
    }
    const form = context.json ? 'hits' : flags['raw'] === true ? 'raw' : 'text';
    return print(context, { path, form }, formOf(flags));
  },
};

const list = async ({ io, state, json }: Context, path: string, answerForm: AnswerForm): Promise<Exit> => {
  const branches: Branch[] = [];
  for await (const line of callSearch(state, 'POST', '/browse', { path })) {
    const found = branch.safeParse(line);
    if (json) io.out(jsonLine(line));
    else if (found.success) branches.push(found.data);
    else {
      if (branches.length > 0)
        io.out(table(io, ['LINES', 'SIZE', 'FIRST', 'LAST', 'PATH'], branches.map(cells)));
      const others = branches.at(-1)?.others;
      if (others !== undefined) io.err(`${others} more are not listed\n`);
      if (branches.length === 0) io.err(`there is nothing below '${printable(path)}'\n`);
      printAnswer(io, answerSchema.parse(line), answerForm);
    }
  }
  return Exit.done;
};

const cells = ({ lines, bytes, first, last, path }: Branch): string[] => [
  String(lines),
  byteSize(bytes),
  first,
  last,
  path,
];

const print = async (
  { io, state, json }: Context,
  asked: LeafRequest,
  answerForm: AnswerForm,
): Promise<Exit> => {
  for (let cursor: string | null = null, more = true; more;) {
    more = false;
    for await (const line of callSearch(state, 'POST', '/leaf', { ...asked, cursor })) {
      const next = leafNext.safeParse(line);
      if (next.success) {
        cursor = next.data.next;
        more = true;
      } else if (json) io.out(jsonLine(line));
      else {
        const found = leafLine.safeParse(line);
        if (found.success) printRaw(io, Buffer.from(found.data.bytes, 'base64'));
        else {
          const answered = answerSchema.parse(line);
          if (answered.answer.count === 0) io.err(`there is no line in '${printable(asked.path)}'\n`);
          printAnswer(io, answered, answerForm);
        }
      }
    }
  }
  return Exit.done;
};
