import type { Finding, SectionName, SeverityName } from '#wire/audit';

const severities: readonly SeverityName[] = ['critical', 'high', 'medium', 'low', 'info'];
const sections: readonly SectionName[] = ['services', 'patches', 'isolation', 'logging'];

/** How far away whoever makes use of it may be: anywhere, on the network, or on this host already. */
const reach = ({ id, section }: Finding): number => {
  if (id.startsWith('services/public-listener/')) return 0;
  if (id.startsWith('services/network-listener/')) return 1;
  return 2 + sections.indexOf(section);
};

/** Findings of all sections, worst first: by severity, then by who can reach them, then by id. */
export const rankFindings = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      reach(a) - reach(b) ||
      (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
