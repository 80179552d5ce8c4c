import { globSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import { printable } from '#base/printable';
import type { Imported, ImportSource } from '#ship/import';
import { text, type Command, type Context, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { openSaying, receiverAway, type Saying } from '../say.ts';
import { when } from '../vault/when.ts';
import { importProgress } from './import-progress.ts';

export const logsImport: Command = {
  name: 'logs import',
  summary:
    'take in old and rotated files, compressed ones too, with the times that stand in them; what was imported before is not found twice',
  arguments: '<file...>',
  flags: [
    { flags: '--host <name>', description: 'the host of lines that name none (default: this one)' },
    {
      flags: '--written-by <time>',
      description:
        'when the files were complete, e.g. 2023-06-30: by it, years that lines leave out are told (default: the date in the name, else when the file was last changed)',
    },
  ],
  examples: [
    "holdfast logs import '/var/log/dpkg.log*'",
    'cat /var/log/dpkg.log | holdfast logs import --host web1 -',
  ],
  async run(context, args, flags) {
    const paths = await pathsOf(args);
    const saying = await openSaying(context);
    const outcomes: ('done' | 'broken' | 'unread')[] = [];
    try {
      for (const path of paths) outcomes.push(await importOne(context, saying, path, flags));
    } finally {
      saying.close();
    }
    if (outcomes.every((outcome) => outcome === 'unread')) return Exit.couldNotLook;
    return outcomes.every((outcome) => outcome === 'done') ? Exit.done : Exit.bad;
  },
};

/** Files in the order in which they were written; what names nothing stays, to be told of. */
const pathsOf = async (args: readonly string[]): Promise<string[]> => {
  const { filesBelow, inRotatedOrder } = await import('#ship/import');
  const files = new Set<string>();
  for (const given of args.filter((one) => one !== '-')) {
    const matching = statSync(given, { throwIfNoEntry: false }) === undefined ? globSync(given) : [given];
    for (const path of (matching.length === 0 ? [given] : matching).map((one) => resolve(one))) {
      const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
      for (const file of isDirectory ? filesBelow(path) : [path]) files.add(file);
    }
  }
  return [...inRotatedOrder([...files]), ...(args.includes('-') ? ['-'] : [])];
};

const importOne = async (
  context: Context,
  saying: Saying,
  path: string,
  flags: Flags,
): Promise<'done' | 'broken' | 'unread'> => {
  const { importFile, ShipError } = await import('#ship/import');
  const { io, state } = context;
  let source: ImportSource;
  try {
    source = await sourceOf(path, flags);
  } catch (error) {
    if (error instanceof CliError) throw error;
    io.err(`${printable(path)}: could not be read: ${messageOf(error)}\n`);
    return 'unread';
  }
  const { host, compression } = source;
  await saying.say('import', { path: source.path, host, compression, outcome: 'begun' });
  const progress = importProgress(io, source.path);
  try {
    const imported = await importFile(source, { socket: state.ownSocket, onProgress: progress.update });
    progress.end();
    const { broken, ...rest } = imported;
    const outcome = broken === null ? 'complete' : 'broken';
    await saying.say('import', {
      path: source.path,
      host,
      compression,
      outcome,
      ...rest,
      ...(broken === null ? {} : { why: broken }),
    });
    show(context, source, imported);
    if (broken === null) return 'done';
    return imported.lines === 0 ? 'unread' : 'broken';
  } catch (error) {
    progress.end();
    if (!(error instanceof ShipError)) throw error;
    io.err(
      `${printable(source.path)}: broke off: ${messageOf(error)}. Import it again: nothing is found twice\n`,
    );
    throw receiverAway(state.ownSocket, error);
  }
};

const sourceOf = async (path: string, flags: Flags): Promise<ImportSource> => {
  const { fileSource, streamSource } = await import('#ship/import');
  const host = text(flags, 'host') ?? hostname();
  const now = systemClock().now();
  const given = text(flags, 'writtenBy');
  const writtenBy = given === undefined ? null : when(given, '--written-by', now);
  return path === '-'
    ? streamSource(process.stdin, host, writtenBy ?? now)
    : fileSource(path, host, writtenBy);
};

const show = ({ io, json }: Context, { path, compression }: ImportSource, imported: Imported): void => {
  if (json) io.out(jsonLine({ path, compression, ...imported }));
  const { lines, bytes, format, broken } = imported;
  const what = format === 'journal' ? 'entries of a journal' : lines === 1 ? 'line' : 'lines';
  const packed = compression === 'none' ? '' : ` (${compression})`;
  if (!json) io.out(`${printable(path)}${packed}: ${lines} ${what}, ${bytes} bytes\n`);
  if (broken === null) return;
  const till =
    lines === 0
      ? 'nothing of it was imported'
      : `${what} 1 to ${lines} were imported, and nothing after that`;
  io.err(`${printable(path)}: ${till}: ${printable(broken)}\n`);
};
