import { readFileSync } from 'node:fs';
import { systemClock } from '#base/clock';
import type { StateDirectory } from '#base/state';
import type { HoldfastShipping } from '#inspect';
import { ready, type Ready } from '#wire/ready';
import { sectionName, severityName, unseenSections, type AuditReport, type SeverityName } from '#wire/audit';
import { text, type Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { Exit } from '../exit.ts';
import { jsonLine } from '../json-line.ts';

/** What a Holdfast that runs on this state directory takes in of this host's own logs; `null` where none runs. */
export const holdfastShipping = (state: StateDirectory): HoldfastShipping | null => {
  let running: Ready;
  try {
    running = ready.parse(JSON.parse(readFileSync(state.readyFile, 'utf8')));
  } catch {
    return null;
  }
  const { agent } = running.processes;
  if (agent === undefined) return null;
  return {
    journal: true,
    kernel: true,
    files: ['/var/log'],
    destination: null,
    ownDirectories: [state.root],
    pids: [running.supervisorPid, ...Object.values(running.processes).map(({ pid }) => pid)],
    reader: { uid: agent.uid, groups: agent.groups },
  };
};

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
    const [{ examineHost }, { renderAudit }] = await Promise.all([
      import('./examine.ts'),
      import('./render.ts'),
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
  const parsed = severityName.safeParse(value);
  if (!parsed.success)
    throw new CliError('usage', `--fail-on takes one of ${ranks.join(', ')}, not '${value}'`);
  return parsed.data;
};

const isBad = (report: AuditReport, failOn: SeverityName): boolean =>
  report.findings.some((finding) => ranks.indexOf(finding.severity) <= ranks.indexOf(failOn));
