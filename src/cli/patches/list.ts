import { systemClock } from '#base/clock';
import { printable } from '#base/printable';
import { isUnseen } from '#wire/audit';
import type { Command } from '../command.ts';
import { Exit } from '../exit.ts';
import { renderGaps } from '../gap.ts';
import { jsonLine } from '../json-line.ts';
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
    const status = isUnseen('patches', report) ? Exit.couldNotLook : Exit.done;
    if (json) {
      io.out(jsonLine(report));
      return status;
    }
    const refreshed = report.lists?.refreshed ?? null;
    const lists = refreshed === null ? 'never brought up to date' : `of ${printable(refreshed)}`;
    io.err(`${pendingLine(report)}; package lists ${lists}\n`);
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
    io.err(renderGaps(io, report.couldNotLook));
    return status;
  },
};
