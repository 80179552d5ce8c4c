import { systemClock } from '#base/clock';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { table } from '../table.ts';

export const patchesList: Command = {
  name: 'patches list',
  summary: 'pending upgrades, which of them are security, what is kept back and why',
  examples: ['holdfast patches list', 'holdfast patches list --json'],
  async run({ io, json }) {
    const [{ collectPatches }, { pendingLine }] = await Promise.all([
      import('#inspect'),
      import('../audit/facts.ts'),
    ]);
    const report = await collectPatches({ clock: systemClock() });
    const unseen = report.upgrades.result === 'could-not-look' ? Exit.couldNotLook : Exit.done;
    if (json) {
      io.out(`${JSON.stringify(report)}\n`);
      return unseen;
    }
    io.err(`${pendingLine(report)}; package lists of ${report.lists?.refreshed ?? 'never'}\n`);
    if (report.upgrades.result === 'found') {
      io.out(
        table(
          io,
          ['PACKAGE', 'INSTALLED', 'CANDIDATE', 'SECURITY', 'PUBLIC BY', 'KEPT BACK'],
          report.upgrades.value.map((upgrade) => [
            upgrade.package,
            upgrade.installed,
            upgrade.candidate,
            upgrade.security ? 'yes' : 'no',
            upgrade.publicBy?.slice(0, 10) ?? '-',
            upgrade.keptBack === null ? '-' : `${upgrade.keptBack.reason}: ${upgrade.keptBack.detail}`,
          ]),
        ),
      );
    }
    for (const gap of report.couldNotLook) io.err(`could not look: ${gap.what}: ${gap.why}. ${gap.remedy}\n`);
    return unseen;
  },
};
