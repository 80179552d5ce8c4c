import type { Finding } from '#wire/audit';
import type { Listener, NetworkNamespace, ServicesReport } from '#inspect';
import { doorsOf, endpointOf, placeOf, type Door } from './doors.ts';
import { evidenceOf } from './evidence.ts';
import { ladderOf } from './ladder.ts';
import { baseName, subjectOf } from './recognise.ts';
import { findSniffers } from './sniffers.ts';

/**
 * What listens for strangers, each with its ladder: one finding for each holder, scope and severity, with its endpoints
 * as evidence (`tcp 0.0.0.0:80`). Loopback and unix sockets are as they should be; so are sockets that were gone at the
 * second look. What listens in another network namespace is a finding too: whether something forwards to it is not
 * known.
 */
export const findServices = (report: ServicesReport): Finding[] => {
  const exposed = report.listeners.filter(
    (one) => one.scope !== 'local' && one.protocol !== 'unix' && one.transient !== true,
  );
  const doors = doorsOf(exposed, report.init);
  return distinct(
    doors.flatMap((door) => {
      if (door.lead.protocol === 'raw' || door.lead.protocol === 'packet') return findSniffers(door);
      return door.severity === 'info' && door.known !== null ? [] : [judge(door)];
    }),
  );
};

const judge = (door: Door): Finding => ({
  id: `services/${door.lead.scope}-listener/${doorName(door)}`,
  section: 'services',
  severity: door.severity,
  title: titleOf(door),
  evidence: evidenceOf(door),
  options: ladderOf(door),
});

const titleOf = ({ lead, listeners }: Door): string => {
  const where = lead.netns.own ? '' : `, in ${namespaceName(lead.netns)}`;
  if (lead.holder === 'unseen' && listeners.length > 1) {
    return `${listeners.length} sockets whose holders could not be seen: they listen on ${placeOf(listeners)}${where}`;
  }
  return `${subjectOf(lead)} listens on ${placeOf(listeners)}${where}`;
};

/** The last part of an id. Ephemeral ports change with every start, and would make ids that nobody can keep. */
const doorName = ({ lead, clients }: Door): string => {
  const place = lead.netns.own ? '' : `@${lead.netns.name ?? `net-${lead.netns.inode ?? 'unknown'}`}`;
  const name = clients
    ? `${lead.protocol}-ephemeral@${holderName(lead)}`
    : endpointOf(lead).replace(' ', '-');
  return `${name}${place}`;
};

const holderName = ({ processes: [first], uid }: Listener): string =>
  first?.exe === null || first === undefined ? `uid-${uid ?? 'unknown'}` : baseName(first.exe);

const namespaceName = ({ name, inode }: NetworkNamespace): string =>
  `network namespace ${name ?? `net:[${inode ?? 'unknown'}]`}`;

/** Two holders may share an endpoint (SO_REUSEADDR): the first keeps its id, the others say whose they are. */
const distinct = (findings: readonly Finding[]): Finding[] => {
  const taken = new Set<string>();
  return findings.map((finding) => {
    let { id } = finding;
    for (let n = 2; taken.has(id); n += 1) id = `${finding.id}~${n}`;
    taken.add(id);
    return { ...finding, id };
  });
};
