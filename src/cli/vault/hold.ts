import { systemClock, type Micros } from '#base/clock';
import { printable } from '#base/printable';
import type { VaultReader } from '#vault/read';
import { text, type Command, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import { entryRange, when } from './when.ts';

export const vaultHold: Command = {
  name: 'vault hold',
  summary: 'legal hold: nothing in a range may expire or be redacted until it is released',
  flags: [
    { flags: '--entries <range>', description: 'outer entries, first and last: 120..480' },
    { flags: '--since <time>', description: 'batches with lines received at this day or time, or later' },
    { flags: '--until <time>', description: 'and before this one' },
    { flags: '--reason <text>', description: 'why; stands in the log for ever' },
    { flags: '--by <name>', description: 'who ordered it; stands in the log for ever' },
  ],
  examples: [
    "holdfast vault hold --entries 1..1 --reason 'case 2026-17' --by 'J. Doe, counsel'",
    "holdfast vault hold --since 2026-03-01 --until 2026-04-01 --reason 'case 2026-17' --by 'J. Doe, counsel' --state /srv/holdfast",
  ],
  async run(context, _args, flags) {
    const { io } = context;
    const keeper = await import('./keeper.ts');
    const reason = keeper.standing(flags, 'reason');
    const by = keeper.standing(flags, 'by');
    const vault = keeper.readVault(context);
    const entries = await keeper.explained(() => rangeOf(vault, flags));
    const { entry, notes } = await keeper.askKeeper(context, { kind: 'hold', entries, reason, by });
    if (context.json) io.out(jsonLine({ hold: entry, ...entries, reason, by, notes }));
    else
      io.out(
        `hold ${entry}: nothing of entries ${entries.first}..${entries.end - 1} may expire or be redacted (${printable(reason)}, by ${printable(by)})\n` +
          `To end it: holdfast vault release ${entry} --reason WHY --by NAME${keeper.stateFlag(context)}\n`,
      );
    return Exit.done;
  },
};

const rangeOf = (vault: VaultReader, flags: Flags): { first: number; end: number } => {
  const [entries, since, until] = [text(flags, 'entries'), text(flags, 'since'), text(flags, 'until')];
  if ((entries === undefined) === (since === undefined && until === undefined))
    throw new CliError('usage', 'say what to hold: either --entries 120..480, or --since and --until');
  if (entries !== undefined) return entryRange(entries);
  const now = systemClock().now();
  const from = since === undefined ? null : when(since, '--since', now);
  const to = until === undefined ? null : when(until, '--until', now);
  const found = batchesOf(vault, from, to);
  if (found === null) throw new CliError('refused', 'no batch has a line that was received in that time');
  return found;
};

const step = 4096;

/** From the first to the last batch that may hold a line of the time. */
const batchesOf = (
  vault: VaultReader,
  since: Micros | null,
  until: Micros | null,
): { first: number; end: number } | null => {
  let found: { first: number; end: number } | null = null;
  const size = vault.checkpoint()?.size ?? 0;
  for (let from = 0; from < size; from += step) {
    for (const { index, entry } of vault.entries(from, Math.min(size, from + step))) {
      if (entry.kind !== 'batch') continue;
      if ((since !== null && entry.latest < since) || (until !== null && entry.earliest >= until)) continue;
      found ??= { first: index, end: index + 1 };
      found.end = index + 1;
    }
  }
  return found;
};
