import type { Link } from './links.ts';

/**
 * Where packets for an interface of another namespace come from: `outside`, past no rule of the host's; `host`, through
 * the host's own; `unknown`: a process (slirp4netns, pasta, a VPN) or another namespace decides.
 */
export type Attachment = 'outside' | 'host' | 'unknown';

/** Kinds that share a network card with the host, or a place on its network. */
const direct: ReadonlySet<string | null> = new Set([null, 'macvlan', 'ipvlan', 'macvtap', 'ipvtap', 'vlan']);
/** Ends of links to what runs on this host: a bridge of nothing else leads to the host alone. */
const inner: ReadonlySet<string | null> = new Set(['veth', 'tun', 'dummy', 'bridge', 'ifb']);

/** @param host the links of the host's own namespace, where they could be seen */
export const attachmentOf = (
  links: readonly Link[],
  name: string,
  host: readonly Link[] | null,
): Attachment => {
  const link = links.find((one) => one.name === name);
  if (link === undefined || link.kind === 'dummy') return 'host';
  if (direct.has(link.kind)) return 'outside';
  if (link.kind !== 'veth' || host === null) return 'unknown';
  const end = host.find(
    ({ kind, index, peer }) => kind === 'veth' && index === link.peer && peer === link.index,
  );
  if (end === undefined) return 'unknown';
  const ports = end.master === null ? [] : host.filter(({ master }) => master === end.master);
  return ports.some(({ kind }) => !inner.has(kind)) ? 'outside' : 'host';
};
