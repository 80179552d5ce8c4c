import { printable } from '#base/printable';
import { formatMicros } from '#base/rfc3339';
import { decodeRecord, parseLineAddress } from '#vault/record';
import type { VaultReader } from '#vault/read';
import { text, type Command, type Context, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';

export const vaultRedact: Command = {
  name: 'vault redact',
  summary: 'take one line out, provably; only shows it, without --apply',
  arguments: '<address>',
  flags: [
    {
      flags: '--reason <text>',
      description: 'why; stands in the log for ever, so it must not say what the line said',
    },
    { flags: '--by <name>', description: 'who approved it; stands in the log for ever' },
    { flags: '--apply', description: 'do it: the line cannot be brought back' },
  ],
  examples: [
    'holdfast vault redact 1:1',
    'holdfast vault redact 1:1 --json',
    "holdfast vault redact 4711:12 --reason 'password in a log line' --by 'J. Doe, DPO' --apply --state /srv/holdfast",
  ],
  async run(context, [given = ''], flags) {
    const { io } = context;
    const address = parseLineAddress(given);
    if (address === null)
      throw new CliError(
        'usage',
        `'${given}' is no address of a line of this vault: it is <entry>:<line>, as "holdfast logs search --json" shows it`,
      );
    const { entry, line, part } = address;
    if (part !== null)
      throw new CliError(
        'usage',
        `${given} is part ${part} of line ${entry}:${line}, which came as one body and can only go as a whole, with all of its other parts. If that is meant: holdfast vault redact ${entry}:${line}`,
      );
    const keeper = await import('./keeper.ts');
    const vault = keeper.readVault(context);
    const shown = await keeper.explained(() => lookAt(vault, entry, line));
    if (flags['apply'] !== true) {
      const command = `holdfast vault redact ${entry}:${line} --reason ${argument(flags, 'reason', keeper.quoted)} --by ${argument(flags, 'by', keeper.quoted)} --apply${keeper.stateFlag(context)}`;
      io.out(
        context.json
          ? jsonLine({ applied: false, address: `${entry}:${line}`, ...shown, command })
          : render(context, given, shown, command, keeper.stateFlag(context)),
      );
      return Exit.done;
    }
    const reason = keeper.standing(flags, 'reason');
    const by = keeper.standing(flags, 'by');
    const done = await keeper.askKeeper(context, { kind: 'redact', entry, line, reason, by });
    if (context.json)
      io.out(jsonLine({ applied: true, address: `${entry}:${line}`, entry: done.entry, notes: done.notes }));
    else
      io.out(
        `line ${entry}:${line} was taken out, under entry ${done.entry}\n${done.notes.map((note) => `  ${printable(note)}\n`).join('')}`,
      );
    return Exit.done;
  },
};

const argument = (flags: Flags, name: string, quoted: (word: string) => string): string => {
  const given = text(flags, name);
  return given === undefined ? (name === 'by' ? 'NAME' : 'WHY') : quoted(given);
};

type Shown = {
  received: string;
  peer: string;
  listener: string;
  /** Control bytes escaped. */
  line: string;
  /** Other lines of the batch, which stay and stay provable. */
  neighbours: number;
  /** Legal hold that forbids it, `null` without one. */
  hold: number | null;
};

const lookAt = async (vault: VaultReader, entry: number, line: number): Promise<Shown> => {
  const { holdOn, holdsOf, VaultError } = await import('#vault/read');
  const { lineCount, records, offsets, redacted } = vault.batch(entry, 'root');
  if (line >= lineCount)
    throw new VaultError('not-found', `entry ${entry} has lines 1 to ${lineCount - 1}, no line ${line}`);
  if (line === 0)
    throw new VaultError('refused', `line 0 of entry ${entry} is its manifest, which is never taken out`);
  if (redacted.has(line))
    throw new VaultError('redacted', `line ${line} of entry ${entry} was taken out already`);
  const { record } = decodeRecord(records, offsets[line]);
  return {
    received: formatMicros(record.received),
    peer: record.peer,
    listener: record.listener,
    line: printable(record.raw),
    neighbours: lineCount - 2 - redacted.size,
    hold: holdOn(holdsOf(vault.amendments().all()), entry)?.index ?? null,
  };
};

const render = ({ io }: Context, address: string, shown: Shown, command: string, stateFlag: string): string =>
  [
    `${io.paint('bold', address)} received ${shown.received} from ${printable(shown.peer)} over ${printable(shown.listener)}:\n`,
    `  ${shown.line}\n`,
    `Its hash stays, so that the log still verifies; line and salt go, from vault, intake and index. The ${shown.neighbours} other lines of its batch stay, and stay provable.\n`,
    'What others have stays with them: the sender, its spool for some days, backups, proofs that were given out. Deleting a file does not wipe the disk.\n',
    shown.hold === null
      ? `Nothing was changed. To do it:\n  ${command}\n`
      : `Legal hold ${shown.hold} forbids it. To release that first: holdfast vault release ${shown.hold} --reason WHY --by NAME${stateFlag}\n`,
  ].join('');
