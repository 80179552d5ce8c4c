import { networkInterfaces } from 'node:os';
import type { CouldNotLook } from '#base/looked';
import { lastWordOf } from '../errors.ts';
import { textOf, thisHost, type HostPaths } from '../host.ts';
import { findHolders } from '../services/descriptors.ts';
import { hereAlready } from '../services/enter.ts';
import { describeProcesses } from '../services/holder-process.ts';
import { findNamespaces, type OpenNamespace } from '../services/namespaces.ts';
import { packageFinder, type PackageFinder } from '../services/packages.ts';
import type { Listener } from '../services/report.ts';
import { listProcesses } from '../services/unseen.ts';
import { parseConntrack } from './conntrack.ts';
import { flowsIn, flowTables } from './flows.ts';
import { askUnixPeers, type UnixEnd } from '../services/unix-peers.ts';
import { pairsOf, trackedUses, unixUses, useOf, type Client, type Sample, type Use } from './uses.ts';

export type Observed = { uses: Use[]; couldNotLook: CouldNotLook[] };

/** Takes one sample after another. Keep one for as long as you watch: it remembers whose sockets it has seen. */
export type UseWatcher = { sample(listeners: readonly Listener[]): Promise<Observed> };

export const useWatcher = (
  paths: HostPaths = thisHost,
  packages: PackageFinder = packageFinder(),
): UseWatcher => {
  let programs = new Map<number, Client['program']>();
  return {
    async sample(listeners) {
      const { proc } = paths;
      const couldNotLook: CouldNotLook[] = [];
      const { pids } = listProcesses(proc);
      const { namespaces } = await findNamespaces(paths, pids, flowTables, null);
      const samples = namespaces.map(sampleOf);
      const here = ownAddresses();
      const pairs = pairsOf(listeners, samples, here);
      let ends: UnixEnd[] = [];
      if (listeners.some(({ protocol }) => protocol === 'unix')) {
        try {
          ends = await askUnixPeers(hereAlready);
        } catch (error) {
          couldNotLook.push({
            what: 'who is connected to unix sockets',
            why: lastWordOf(error),
            remedy: 'install iproute2',
          });
        }
      }
      const doorPaths = new Set(
        listeners.flatMap(({ protocol, address }) => (protocol === 'unix' ? [address] : [])),
      );
      const wanted = [
        ...pairs.flatMap(({ client }) => (client === null || client.inode === 0 ? [] : [client.inode])),
        ...ends.flatMap(({ path, peer }) => (path !== null && doorPaths.has(path) ? [peer] : [])),
      ];
      programs = namedPrograms(paths, pids, wanted, programs, packages);
      const programOf = (inode: number): Client['program'] => programs.get(inode) ?? null;
      const tracked = textOf(`${proc}/net/nf_conntrack`);
      if (tracked === null && listeners.some(({ protocol }) => protocol === 'udp'))
        couldNotLook.push({
          what: 'who sends to UDP doors',
          why: 'the kernel shows no tracked connections (/proc/net/nf_conntrack)',
          remedy: 'run as root, with nf_conntrack loaded; or watch the door: nft add rule … counter, tcpdump',
        });
      return {
        uses: [
          ...pairs.map((pair) => useOf(pair, programOf)),
          ...unixUses(listeners, ends, programOf),
          ...trackedUses(listeners, parseConntrack(tracked ?? ''), here),
        ],
        couldNotLook,
      };
    },
  };
};

const sampleOf = (namespace: OpenNamespace): Sample => ({
  netns: namespace.inode,
  own: namespace.own,
  flows: flowTables.flatMap((file) => {
    try {
      return flowsIn(file.startsWith('tcp') ? 'tcp' : 'udp', namespace.read(file, 'whole') ?? '');
    } catch {
      return []; // the list of doors says what could not be read
    }
  }),
});

const ownAddresses = (): ReadonlySet<string> =>
  new Set(Object.values(networkInterfaces()).flatMap((some = []) => some.map(({ address }) => address)));

/** Descriptors are read only where a socket is new; what is no longer asked for is forgotten. */
const namedPrograms = (
  paths: HostPaths,
  pids: readonly number[],
  wanted: readonly number[],
  known: ReadonlyMap<number, Client['program']>,
  packages: PackageFinder,
): Map<number, Client['program']> => {
  const unknown = new Set(wanted.filter((inode) => !known.has(inode)));
  const { byInode } =
    unknown.size === 0 ? { byInode: new Map<number, number[]>() } : findHolders(paths.proc, pids, unknown);
  const processes = describeProcesses(paths, [...new Set([...byInode.values()].flat())], packages);
  return new Map(
    wanted.map((inode) => {
      const shown = processes.get(byInode.get(inode)?.[0] ?? 0)?.shown;
      if (shown === undefined) return [inode, known.get(inode) ?? null];
      const { exe, script, user, unit, container } = shown;
      return [inode, { exe, script, user, unit, container }];
    }),
  );
};
