import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';

export const vaultRelease: Command = {
  name: 'vault release',
  summary: 'end a legal hold; what it kept may expire again',
  arguments: '<hold>',
  flags: [
    { flags: '--reason <text>', description: 'why; stands in the log for ever' },
    { flags: '--by <name>', description: 'who ordered it; stands in the log for ever' },
  ],
  examples: [
    "holdfast vault release 1042 --reason 'case 2026-17 is closed' --by 'J. Doe, counsel' --state /srv/holdfast",
  ],
  async run(context, [given = ''], flags) {
    const { io } = context;
    if (!/^\d{1,15}$/.test(given))
      throw new CliError(
        'usage',
        `a hold is named by its number, as 'holdfast vault holds' shows it, not '${given}'`,
      );
    const keeper = await import('./keeper.ts');
    const reason = keeper.standing(flags, 'reason');
    const by = keeper.standing(flags, 'by');
    keeper.readVault(context);
    const hold = Number(given);
    const { entry, notes } = await keeper.askKeeper(context, { kind: 'release', hold, reason, by });
    if (context.json) io.out(jsonLine({ hold, entry, notes }));
    else io.out(`hold ${hold} is released, by entry ${entry}\n`);
    return Exit.done;
  },
};
