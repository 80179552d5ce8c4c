import { systemClock } from '#base/clock';
import type { AuditReport, SeverityName } from '#wire/audit';
import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';

const ranks: readonly SeverityName[] = ['critical', 'high', 'medium', 'low', 'info'];

export const audit: Command = {
  name: 'audit',
  summary: 'examine this host now: services, patches, logging, isolation',
  flags: [
    {
      flags: '--fail-on <severity>',
      description: 'exit 1 if a finding is at or above this: critical, high, medium, low, info',
    },
    { flags: '--strict', description: 'exit 3 if anything at all could not be looked at' },
  ],
  examples: ['holdfast audit', 'holdfast audit --fail-on high', 'holdfast audit --json --strict'],
  async run({ io, state, json }, _args, flags) {
    // Loaded only here: every other command starts faster without the inspectors.
    const [{ examineHost }, { renderAudit }, { holdfastShipping }, { sectionName, unseenSections }] =
      await Promise.all([
        import('./examine.ts'),
        import('./render.ts'),
        import('./shipping.ts'),
        import('#wire/audit'),
      ]);
    const failOn = parseSeverity(text(flags, 'failOn'));
    if (io.interactive)
      io.err(
        io.paint('dim', 'Looking at services, patches (apt takes a few seconds), logging and isolation …\n'),
      );
    const { report, facts } = await examineHost({
      clock: systemClock(),
      holdfast: holdfastShipping(state),
    });
    io.out(json ? jsonLine(report) : renderAudit(io, report, facts));
    const blind = unseenSections(report).length === sectionName.options.length;
    if (blind || (flags['strict'] === true && report.couldNotLook.length > 0)) return Exit.couldNotLook;
    return failOn !== null && isBad(report, failOn) ? Exit.bad : Exit.done;
  },
};

const parseSeverity = (value: string | undefined): SeverityName | null => {
  if (value === undefined) return null;
  const severity = ranks.find((one) => one === value);
  if (severity === undefined)
    throw new CliError('usage', `--fail-on takes one of ${ranks.join(', ')}, not '${value}'`);
  return severity;
};

const isBad = (report: AuditReport, failOn: SeverityName): boolean =>
  report.findings.some((finding) => ranks.indexOf(finding.severity) <= ranks.indexOf(failOn));
