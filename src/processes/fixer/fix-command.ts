import { CliError, Exit, jsonLine, keptUses, text, type Command } from '#cli';
import type { FixResult } from '#fix';
import { acceptedRisks, secondsOf, stepFlags, wishOf } from './flags.ts';
import { renderStep } from './render.ts';

export const servicesFix: Command = {
  name: 'services fix',
  summary: 'shut one door to others, prove it and that its users are well; undone by itself otherwise',
  arguments: '[door]',
  flags: [
    ...stepFlags,
    { flags: '--accept <risk>', description: 'a risk that `services plan` names; repeats', repeats: true },
    { flags: '--check <command>', description: 'your own check, for sh: must pass before and after' },
    { flags: '--from <command>', description: "what reaches another host to knock from, e.g. 'ssh web1'" },
    { flags: '--watch <time>', description: 'how long to watch who uses it', default: '10s' },
    {
      flags: '--watch-after <time>',
      description: 'how long to watch afterwards that they still can; else as long as --watch, 30s at least',
    },
    {
      flags: '--confirm-within <time>',
      description: 'where you may lock yourself out: undone after this',
      default: '2m',
    },
    { flags: '--confirm <fix>', description: 'keep such a fix: you can still come in' },
  ],
  examples: [
    'holdfast services fix 3306',
    'holdfast services fix 3306 --watch-after 5m',
    "holdfast services fix mariadb --check 'curl -fsS http://localhost/cacti/'",
    "holdfast services fix 3306 --from 'ssh web1' --accept remote-clients",
  ],
  async run(context, args, flags) {
    const { io, json } = context;
    const [{ fix, confirm, riskNames }, { withFixer }] = await Promise.all([
      import('#fix'),
      import('./surroundings.ts'),
    ]);
    const show = (entry: Parameters<typeof renderStep>[1]): void =>
      (json ? io.err : io.out)(renderStep(io, entry));
    const confirmed = text(flags, 'confirm');
    if (confirmed !== undefined) {
      await withFixer(context, show, async (fixer) => confirm(fixer, confirmed));
      return Exit.done;
    }
    const [wanted] = args;
    if (wanted === undefined)
      throw new CliError('usage', "name a door: a port, 'udp/161', a unit or a service");
    const request = {
      wanted,
      ...wishOf(flags),
      noted: (await keptUses(context.state)).book,
      accept: acceptedRisks(flags, riskNames),
      check: text(flags, 'check') ?? null,
      from: text(flags, 'from') ?? null,
      watchMs: secondsOf(flags, 'watch', 10) * 1000,
      watchAfterMs: text(flags, 'watchAfter') === undefined ? null : secondsOf(flags, 'watchAfter', 0) * 1000,
      confirmSeconds: secondsOf(flags, 'confirmWithin', 120),
    };
    const result = await withFixer(context, show, async (fixer) => fix(fixer, request));
    if (json) io.out(jsonLine(result));
    else io.out(`\n${io.paint('bold', verdict(result))}\n`);
    return result.result === 'done' || result.result === 'awaiting' ? Exit.done : Exit.bad;
  },
};

const verdict = ({ id, result, outside, broke }: FixResult): string => {
  const proven = outside === 'proven' ? 'and proven' : 'not proven from outside';
  switch (result) {
    case 'done':
      return `Done, ${proven}: ${id}`;
    case 'awaiting':
      return `Done, ${proven}, until it is confirmed: ${id}`;
    case 'undone':
      return `Undone, everything is as before: ${id}`;
    case 'failed':
      return `Not all is as before (${id}): ${broke.at(-1) ?? 'see above'}`;
  }
};
