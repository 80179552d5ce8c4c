import { printable } from '#base/printable';
import {
  unseenSections,
  type AuditReport,
  type Finding,
  type SectionName,
  type SeverityName,
} from '#wire/audit';
import { renderGaps } from '../gap.ts';
import type { Io, Style } from '../io.ts';
import { wrap } from '../wrap.ts';

const styles: Readonly<Record<SeverityName, Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
};
const order: readonly SeverityName[] = ['critical', 'high', 'medium', 'low', 'info'];
const sections: readonly SectionName[] = ['services', 'patches', 'logging', 'isolation'];

/** Evidence lines, and steps of the ladder, shown for a finding; the rest is in --json. */
const evidenceShown = 6;
const stepsShown = 4;
/** Findings in the summary of `holdfast up`. */
const worstShown = 5;

/** The whole report, for a terminal. `facts` has a few lines for each section. */
export const renderAudit = (
  io: Io,
  report: AuditReport,
  facts: Readonly<Record<SectionName, readonly string[]>>,
): string => {
  const parts = [
    `${io.paint('bold', `Audit of ${printable(report.host)}`)}  ${io.paint('dim', report.time)}\n`,
  ];
  for (const section of sections) {
    const findings = report.findings.filter((finding) => finding.section === section);
    parts.push(`\n${io.paint('bold', section.toUpperCase())}  ${verdictLine(io, report, section)}\n`);
    parts.push(...facts[section].map((fact) => `  ${io.paint('dim', printable(fact))}\n`));
    parts.push(...findings.map((finding) => `\n${renderFinding(io, finding)}`));
  }
  parts.push(renderUnseen(io, report));
  return parts.join('');
};

const renderFinding = (io: Io, finding: Finding): string => {
  const label = finding.severity.toUpperCase().padEnd(8);
  const lines = [
    `  ${io.paint(styles[finding.severity], label)} ${io.paint('bold', printable(finding.title))}\n`,
  ];
  for (const evidence of finding.evidence.slice(0, evidenceShown))
    lines.push(wrap(printable(evidence), io.width, '             ', '           · '));
  if (finding.evidence.length > evidenceShown)
    lines.push(`             … and ${finding.evidence.length - evidenceShown} more (--json has them all)\n`);
  lines.push(renderLadder(io, finding, stepsShown));
  return lines.join('');
};

/** The first step with an arrow; below it, indented, what could be done instead. */
const renderLadder = (io: Io, { options }: Finding, most: number): string =>
  options
    .slice(0, most)
    .map(({ step, action }, index) => {
      const text = `${step}: ${printable(action)}`;
      return index === 0
        ? wrap(text, io.width, ' '.repeat(13), `           ${io.paint('green', '→')} `, 13)
        : wrap(text, io.width, ' '.repeat(16), `             ${io.paint('dim', 'or')} `, 16);
    })
    .join('');

/** What was not seen stands by itself, never among the clean. */
const renderUnseen = (io: Io, { couldNotLook }: AuditReport): string =>
  couldNotLook.length === 0
    ? `\n${io.paint('dim', 'Everything that was asked for could be looked at.')}\n`
    : renderGaps(io, couldNotLook);

/** `2 high, 1 medium`, or that nothing was found, or that nothing could be seen: three results. */
const verdictLine = (io: Io, report: AuditReport, section: SectionName): string => {
  const findings = report.findings.filter((finding) => finding.section === section);
  const counts = order.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [io.paint(styles[severity], `${count} ${severity}`)];
  });
  if (unseenSections(report).includes(section))
    return [io.paint('magenta', 'COULD NOT LOOK'), ...counts].join(', ');
  return counts.length === 0 ? io.paint('green', 'nothing found in what was seen') : counts.join(', ');
};

/**
 * Counts per section and the worst findings: what `holdfast up` prints.
 * @param auditCommand the exact command that shows all of it
 */
export const renderSummary = (io: Io, report: AuditReport, auditCommand: string): string => {
  const lines = sections.map((section) => `  ${section.padEnd(10)} ${verdictLine(io, report, section)}\n`);
  const shown = report.findings.slice(0, worstShown).map((finding) => {
    const label = io.paint(styles[finding.severity], finding.severity.toUpperCase().padEnd(8));
    return `  ${label} ${printable(finding.title)}\n${renderLadder(io, finding, 1)}`;
  });
  const gaps = report.couldNotLook.length;
  const unseen =
    gaps === 0
      ? ''
      : `  ${io.paint('magenta', `could not look at ${gaps} ${gaps === 1 ? 'thing' : 'things'}`)}; '${auditCommand}' names ${gaps === 1 ? 'it' : 'them'}\n`;
  return `${lines.join('')}${unseen}${shown.length === 0 ? '' : `\nThe worst of it:\n${shown.join('')}`}`;
};
