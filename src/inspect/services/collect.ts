import { setTimeout as sleep } from 'node:timers/promises';
import { initSystem, textOf, thisHost, type HostPaths } from '../host.ts';
import { endpointFiles, noTables, ownNamespace, readInodes, type Endpoint } from './endpoints.ts';
import { describeHolders, type Held } from './holder.ts';
import { newMemory, type Memory } from './memory.ts';
import { findNamespaces, type OpenNamespace } from './namespaces.ts';
import { packageFinder, type PackageFinder } from './packages.ts';
import type { Listener, NetworkNamespace, ServicesReport } from './report.ts';
import { scopeOf } from './scope.ts';
import { lookAround } from './sight.ts';
import type { SocketDetails } from './socket-details.ts';
import { hiddenProcesses, listProcesses, unreadableProcesses, whyHidden } from './unseen.ts';

export type ServicesOptions = Partial<HostPaths> & {
  /** Keep one between collections: it remembers which package brought what. */
  packages?: PackageFinder;
  /** The same, of what was seen of sockets that are not listed anywhere. */
  memory?: Memory;
};

/** A socket that is gone after this long was somebody's passing question (a DNS query), not a service. */
const secondLookAfter = 30; // ms

/**
 * Every socket of this host that takes bytes from anyone, in every network namespace, with all its holders: listening
 * TCP, SCTP and unix, unconnected UDP, UDP-Lite, raw and packet. Reads /proc; runs `ss` (for IPV6_V6ONLY and SO_BINDTODEVICE), `nsenter`
 * (for namespaces without process), `perl` (for sockets that no table lists) and `systemctl` (where systemd holds sockets), each only where needed.
 *
 * What cannot be seen is in `couldNotLook` and never thrown; an empty list beside it is not a clean one.
 */
export const collectServices = async (options: ServicesOptions = {}): Promise<ServicesReport> => {
  const started = performance.now();
  const paths: HostPaths = { ...thisHost, ...options };
  const { proc } = paths;
  const uid = process.geteuid?.() ?? -1;

  const report = (seen: Omit<ServicesReport, 'init' | 'milliseconds'>): ServicesReport => ({
    ...seen,
    init: initSystem(paths),
    milliseconds: performance.now() - started,
  });

  const { pids, blind } = listProcesses(proc);
  if (blind !== null) return report({ listeners: [], namespaces: [], couldNotLook: [blind], unreadable: [] });
  const hidden = whyHidden(proc, uid);
  const { namespaces, couldNotLook } = await findNamespaces(paths, pids, endpointFiles, hidden);
  if (hidden !== null) couldNotLook.push(hiddenProcesses(hidden, uid));
  if (!namespaces.some(({ own }) => own)) couldNotLook.push(noTables(ownNamespace));

  const memory = options.memory ?? newMemory();
  const sampled = performance.now();
  const sight = await lookAround(proc, pids, namespaces, memory);
  const { endpoints, holders } = sight;
  couldNotLook.push(...sight.couldNotLook);
  if (holders.unreadable.length > 0) couldNotLook.push(unreadableProcesses(proc, holders.unreadable, uid));
  const described = await describeHolders(
    paths,
    endpoints,
    { ...holders, hidden },
    memory,
    options.packages ?? packageFinder(),
  );
  couldNotLook.push(...described.couldNotLook);

  const ephemeral = ephemeralUdp(proc);
  const isOfNetwork = ({ row }: Endpoint): boolean => row.protocol === 'tcp' || row.protocol === 'udp';
  const passing = (endpoint: Endpoint): boolean =>
    isOfNetwork(endpoint) && (ephemeral(endpoint) || described.held.get(endpoint)?.processes.length === 0);
  const doubtful = Map.groupBy(endpoints.filter(passing), ({ namespace }) => namespace);
  // A closed socket is gone at once; only a client's takes a while to show what it is.
  const isKnown = ({ inodes }: Endpoint): boolean => inodes.every((inode) => memory.seen.has(inode));
  if (endpoints.some((endpoint) => ephemeral(endpoint) && !isKnown(endpoint)))
    await sleep(Math.max(0, secondLookAfter - (performance.now() - sampled)));
  const still = new Set(
    [...doubtful].flatMap(([namespace, some]) => [
      ...readInodes(
        namespace,
        some.map(({ row }) => row),
      ),
    ]),
  );

  const listeners = endpoints.flatMap((endpoint): Listener[] => {
    const held = described.held.get(endpoint);
    if (held === undefined) return [];
    const gone = !endpoint.inodes.some((inode) => still.has(inode));
    const closedMeanwhile = gone && held.holder === 'unseen' && isOfNetwork(endpoint);
    if (closedMeanwhile && !ephemeral(endpoint)) return [];
    return [listenerOf(endpoint, held, sight.details, ephemeral(endpoint) ? gone : null)];
  });
  memory.seen = new Set(endpoints.flatMap(({ inodes }) => inodes));
  return report({
    listeners: listeners.sort(byEndpoint),
    namespaces: sight.namespaces.map((one) => ({ ...netnsOf(one), enter: one.enter })),
    couldNotLook,
    unreadable: holders.unreadable,
  });
};

const listenerOf = (
  { row, inodes, namespace, surroundings }: Endpoint,
  held: Held,
  details: ReadonlyMap<number, SocketDetails>,
  transient: boolean | null,
): Listener => {
  const known = inodes.flatMap((inode) => details.get(inode) ?? []);
  const devices = new Set(known.map((one) => one.device));
  const device = devices.size === 1 ? (known[0]?.device ?? null) : null;
  return {
    protocol: row.protocol,
    address: row.address,
    port: row.port,
    v6only: row.family !== 6 || known.length === 0 ? null : known.every(({ v6only }) => v6only === true),
    device,
    netns: netnsOf(namespace),
    scope: device === 'lo' ? 'local' : scopeOf(row.protocol, row.address, surroundings),
    uid: row.uid,
    inodes,
    transient,
    translatedBy: null,
    ...held,
  };
};

const netnsOf = ({ inode, name, own, container }: OpenNamespace): NetworkNamespace => ({
  inode,
  name,
  own,
  container,
});

/** Whether the endpoint is UDP on a port that the kernel hands out by itself (ip_local_port_range). */
const ephemeralUdp = (proc: string): ((endpoint: Endpoint) => boolean) => {
  const range = (textOf(`${proc}/sys/net/ipv4/ip_local_port_range`) ?? '32768 60999')
    .trim()
    .split(/\s+/)
    .map(Number);
  const [first = 32768, last = 60999] = range;
  return ({ row: { protocol, port } }) =>
    protocol === 'udp' && port !== null && port >= first && port <= last;
};

const protocolOrder = ['tcp', 'udp', 'sctp', 'udplite', 'raw', 'packet', 'vsock', 'unix'];

const byEndpoint = (a: Listener, b: Listener): number =>
  Number(b.netns.own) - Number(a.netns.own) ||
  (a.netns.inode ?? 0) - (b.netns.inode ?? 0) ||
  protocolOrder.indexOf(a.protocol) - protocolOrder.indexOf(b.protocol) ||
  (a.port ?? 0) - (b.port ?? 0) ||
  (a.address < b.address ? -1 : a.address > b.address ? 1 : 0);
