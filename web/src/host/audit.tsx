import { useQuery } from '@tanstack/react-query';
import { fetchAudit } from '../api.ts';
import { localMoment, utcMoment } from '../time.ts';
import type { AuditAnswer, Finding, SectionName, SeverityName } from '../wire.ts';

const sections: { name: SectionName; title: string }[] = [
  { name: 'services', title: 'Services' },
  { name: 'patches', title: 'Patches' },
  { name: 'logging', title: 'Logging' },
  { name: 'isolation', title: 'Isolation' },
];
const ranks: SeverityName[] = ['critical', 'high', 'medium', 'low', 'info'];

const soonMs = 3_000;
const seldomMs = 60_000;

/** What the supervisor's audit of this host found, what to do about it, and what it could not see. */
export const Audit = () => {
  const audit = useQuery({
    queryKey: ['audit'],
    queryFn: ({ signal }) => fetchAudit(signal),
    refetchInterval: ({ state }) => (state.data?.result === 'found' ? seldomMs : soonMs),
  });
  if (audit.data === undefined) {
    return <p className="panel-note">{audit.error === null ? 'Reading the audit…' : audit.error.message}</p>;
  }
  if (audit.data.result === 'not-yet') {
    return (
      <p className="panel-note">
        This host has not been audited yet. The first audit runs when Holdfast starts and appears here; to see
        one now, run <code>holdfast audit</code>.
      </p>
    );
  }
  if (audit.data.result === 'could-not-look') return <Unseen items={[audit.data]} />;
  return <Report report={audit.data} />;
};

const Report = ({ report }: { report: Extract<AuditAnswer, { result: 'found' }> }) => {
  const ranked = report.findings.toSorted((a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity));
  const unseen = report.couldNotLook.length;
  return (
    <>
      <p className="panel-note">
        <b>{report.host}</b> at{' '}
        <time dateTime={report.time} title={utcMoment(report.time)}>
          {localMoment(report.time).slice(0, 16)}
        </time>
      </p>
      <ul className="sections" aria-label="Findings per section">
        {sections.map(({ name, title }) => (
          <Section
            key={name}
            title={title}
            findings={ranked.filter((finding) => finding.section === name)}
            seen={report.unseenSections.includes(name) ? 'nothing' : unseen === 0 ? 'all' : 'some'}
          />
        ))}
      </ul>
      {unseen > 0 && <Unseen items={report.couldNotLook} />}
      {ranked.length > 0 && <h3 className="panel-title">Findings, worst first</h3>}
      <ol className="findings">
        {ranked.map((finding) => (
          <li key={finding.id}>
            <FindingCard finding={finding} />
          </li>
        ))}
      </ol>
    </>
  );
};

type SectionProps = { title: string; findings: Finding[]; seen: 'all' | 'some' | 'nothing' };

const Section = ({ title, findings, seen }: SectionProps) => {
  const worst = findings[0]?.severity;
  const counts = ranks
    .map((severity) => ({
      severity,
      size: findings.filter((finding) => finding.severity === severity).length,
    }))
    .filter(({ size }) => size > 0);
  return (
    <li className="section" data-severity={worst ?? 'none'} data-seen={seen}>
      <h3>{title}</h3>
      <b className="section-size">{seen === 'nothing' && findings.length === 0 ? '?' : findings.length}</b>
      <p>
        {seen === 'nothing' && <span className="section-unseen">could not look</span>}
        {counts.map(({ severity, size }) => (
          <span key={severity} data-severity={severity}>
            {size} {severity}
          </span>
        ))}
        {counts.length === 0 && seen === 'all' && 'nothing found'}
        {counts.length === 0 && seen === 'some' && 'nothing found in what could be seen'}
      </p>
    </li>
  );
};

const Unseen = ({ items }: { items: { what: string; why: string; remedy: string }[] }) => (
  <details className="unseen">
    <summary>
      Could not look at <b>{items.length}</b> {items.length === 1 ? 'thing' : 'things'}
      <span>not the same as clean</span>
    </summary>
    <ul>
      {items.map((item) => (
        <li key={`${item.what}\n${item.why}`}>
          <b>{item.what}</b>
          <p>{item.why}</p>
          <p className="remedy">To see it: {item.remedy}</p>
        </li>
      ))}
    </ul>
  </details>
);

/** Advice names commands between backquotes. */
const WithCommands = ({ text }: { text: string }) =>
  text.split('`').map((part, index) => (index % 2 === 1 ? <code key={`${index}`}>{part}</code> : part));

const FindingCard = ({ finding }: { finding: Finding }) => (
  <details className="finding" data-severity={finding.severity}>
    <summary>
      <span className="tag" data-severity={finding.severity}>
        {finding.severity}
      </span>
      <span className="finding-title">{finding.title}</span>
    </summary>
    <div className="finding-body">
      <h4>Seen</h4>
      <ul className="evidence">
        {finding.evidence.map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      {finding.options.length > 0 && (
        <>
          <h4>Next step, cheapest first</h4>
          <ol className="options">
            {finding.options.map((option) => (
              <li key={`${option.step}\n${option.action}`}>
                <b>{option.step}</b>
                <span>
                  <WithCommands text={option.action} />
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
      <p className="finding-id">{finding.id}</p>
    </div>
  </details>
);
