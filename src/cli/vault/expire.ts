import { systemClock, type Micros } from '#base/clock';
import { printable } from '#base/printable';
import { formatMicros } from '#base/rfc3339';
import { text, type Command, type Context, type Flags } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';
import type { ExpiryPlan, ExpiryRange } from './expiry-plan.ts';
import { ago, when } from './when.ts';

export const vaultExpire: Command = {
  name: 'vault expire',
  summary: 'remove the lines of old batches, provably; only shows what would go, without --apply',
  flags: [
    {
      flags: '--older-than <time>',
      description: 'batches whose every line was received longer ago, e.g. 400d',
    },
    {
      flags: '--before <time>',
      description: 'batches whose every line was received before this day or time',
    },
    { flags: '--class <name>', description: 'only batches of this retention class', default: 'default' },
    { flags: '--by <name>', description: 'who approved it; stands in the log for ever' },
    { flags: '--apply', description: 'do it: what is removed cannot be brought back' },
  ],
  examples: [
    'holdfast vault expire --older-than 400d',
    'holdfast vault expire --before 2026-01-01 --json',
    "holdfast vault expire --older-than 400d --by 'J. Doe, DPO' --apply --state /srv/holdfast",
  ],
  async run(context, _args, flags) {
    const { io } = context;
    const limit = limitOf(flags);
    const name = text(flags, 'class') ?? 'default';
    const keeper = await import('./keeper.ts');
    const { planExpiry } = await import('./expiry-plan.ts');
    const vault = keeper.readVault(context);
    const plan = await keeper.explained(() => planExpiry(vault, limit.before, name));
    if (flags['apply'] !== true) {
      const by = text(flags, 'by');
      const again = `holdfast vault expire ${limit.flag}${name === 'default' ? '' : ` --class ${keeper.quoted(name)}`} --by ${by === undefined ? 'NAME' : keeper.quoted(by)} --apply${keeper.stateFlag(context)}`;
      if (context.json) io.out(jsonLine({ applied: false, ...shownPlan(plan), command: again }));
      else io.out(renderPlan(context, plan, limit.before, again));
      return Exit.done;
    }
    const by = keeper.standing(flags, 'by');
    const entries: { entry: number; range: ExpiryRange; notes: readonly string[] }[] = [];
    for (const range of plan.ranges) {
      const { first, end } = range;
      const done = await keeper.askKeeper(context, {
        kind: 'expire',
        entries: { first, end },
        class: name,
        policy: limit.policy,
        before: limit.before,
        by,
      });
      entries.push({ ...done, range });
      if (!context.json) io.out(renderDone(done.entry, range, done.notes));
    }
    if (context.json)
      io.out(
        jsonLine({
          applied: true,
          ...shownPlan(plan),
          expired: entries.map(({ entry, range, notes }) => ({
            entry,
            first: range.first,
            end: range.end,
            notes,
          })),
        }),
      );
    else if (entries.length === 0) io.out(renderPlan(context, plan, limit.before, ''));
    return Exit.done;
  },
};

type Limit = { before: Micros; policy: string; flag: string };

const limitOf = (flags: Flags): Limit => {
  const now = systemClock().now();
  const older = text(flags, 'olderThan');
  const before = text(flags, 'before');
  if ((older === undefined) === (before === undefined))
    throw new CliError('usage', 'say how old: either --older-than 400d or --before 2026-01-01');
  if (older !== undefined)
    return {
      before: ago(older, '--older-than', now),
      policy: `older-than-${older}`,
      flag: `--older-than ${older}`,
    };
  const time = when(before ?? '', '--before', now);
  const compact = formatMicros(time).slice(0, 19).replace(/[-:]/g, '').toLowerCase();
  return { before: time, policy: `before-${compact}z`, flag: `--before ${formatMicros(time)}` };
};

const shownPlan = ({ ranges, held }: ExpiryPlan): Record<string, unknown> => ({
  ranges: ranges.map((range) => ({
    ...range,
    earliest: formatMicros(range.earliest),
    latest: formatMicros(range.latest),
  })),
  held: held.map(({ hold, batches, lines }) => ({
    hold: hold.index,
    reason: hold.entry.reason,
    by: hold.entry.by,
    batches,
    lines,
  })),
});

const renderPlan = ({ io }: Context, plan: ExpiryPlan, before: Micros, again: string): string => {
  const { ranges, held } = plan;
  const kept = held.map(
    ({ hold, batches, lines }) =>
      `kept by legal hold ${hold.index} (${printable(hold.entry.reason)}, by ${printable(hold.entry.by)}): ${lines} lines in ${batches} ${batches === 1 ? 'batch' : 'batches'}\n`,
  );
  if (ranges.length === 0)
    return `No batch would expire: none is wholly older than ${formatMicros(before)}, or all that are have expired or are held.\n${kept.join('')}`;
  const lines = ranges.reduce((sum, range) => sum + range.lines, 0);
  return [
    `${io.paint('bold', `${lines} lines`)} received before ${formatMicros(before)} would go:\n`,
    ...ranges.map((range) => `  ${describe(range)}\n`),
    ...kept,
    `Their entries, hashes and times stay in the log for ever; the lines themselves cannot be brought back.\n`,
    `Nothing was changed. To do it:\n  ${again}\n`,
  ].join('');
};

const describe = ({ first, end, batches, lines, bytes, earliest, latest }: ExpiryRange): string =>
  `entries ${first}..${end - 1}: ${lines} lines in ${batches} ${batches === 1 ? 'batch' : 'batches'}, ${sizeOf(bytes)} stored, received ${formatMicros(earliest)} to ${formatMicros(latest)}`;

const sizeOf = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

const renderDone = (entry: number, range: ExpiryRange, notes: readonly string[]): string =>
  `expired under entry ${entry}: ${describe(range)}\n${notes.map((note) => `  ${printable(note)}\n`).join('')}`;
