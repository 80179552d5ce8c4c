import { printable } from '#base/printable';
import type { AuditReport, Finding, SectionName, SeverityName } from '#wire/audit';
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

/** Evidence lines shown for a finding; the rest is in --json. */
const evidenceShown = 6;

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
    parts.push(`\n${io.paint('bold', section.toUpperCase())}  ${countsLine(io, findings)}\n`);
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
  const [next] = finding.options;
  if (next !== undefined) {
    lines.push(
      wrap(
        `${next.step}: ${printable(next.action)}`,
        io.width,
        '             ',
        `           ${io.paint('green', '→')} `,
        13,
      ),
    );
  }
  return lines.join('');
};

/** What was not seen stands by itself, never among the clean. */
const renderUnseen = (io: Io, report: AuditReport): string => {
  if (report.couldNotLook.length === 0)
    return `\n${io.paint('dim', 'Everything that was asked for could be looked at.')}\n`;
  const lines = report.couldNotLook.map(({ what, why, remedy }) =>
    wrap(`${printable(what)}: ${printable(why)}. ${printable(remedy)}`, io.width, '    ', '  ? '),
  );
  return `\n${io.paint('bold', 'COULD NOT LOOK')}  ${io.paint('magenta', 'nothing is said about these; they are not clean')}\n${lines.join('')}`;
};

/** `2 high, 1 medium`, or that nothing was found. */
export const countsLine = (io: Io, findings: readonly Finding[]): string => {
  const counts = order.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [io.paint(styles[severity], `${count} ${severity}`)];
  });
  return counts.length === 0 ? io.paint('green', 'nothing found in what was seen') : counts.join(', ');
};

/** Counts per section and the worst findings: what `holdfast up` prints. */
export const renderSummary = (io: Io, report: AuditReport, worst = 5): string => {
  const lines = sections.map(
    (section) =>
      `  ${section.padEnd(10)} ${countsLine(
        io,
        report.findings.filter((finding) => finding.section === section),
      )}\n`,
  );
  const shown = report.findings.slice(0, worst).map((finding) => {
    const [next] = finding.options;
    const step =
      next === undefined
        ? ''
        : wrap(
            `${next.step}: ${printable(next.action)}`,
            io.width,
            '             ',
            `           ${io.paint('green', '→')} `,
            13,
          );
    return `  ${io.paint(styles[finding.severity], finding.severity.toUpperCase().padEnd(8))} ${printable(finding.title)}\n${step}`;
  });
  const unseen =
    report.couldNotLook.length === 0
      ? ''
      : `  ${io.paint('magenta', `could not look at ${report.couldNotLook.length} things`)}; 'holdfast audit' names them\n`;
  return `${lines.join('')}${unseen}${shown.length === 0 ? '' : `\nThe worst of it:\n${shown.join('')}`}`;
};
