import type { HolderProcess, Listener, Protocol } from '../services/report.ts';
import type { Tracked } from './conntrack.ts';
import type { Flow, Place } from './flows.ts';
import type { UnixEnd } from '../services/unix-peers.ts';

/** The door that is used, as `services list` has it. */
export type DoorName = { protocol: Protocol; address: string; port: number | null; netns: number | null };

/** Who uses a door: the same program from the same place by the same address is one client. */
export type Client = {
  from: 'this host' | 'elsewhere';
  /** Its address; `null` of unix sockets. */
  address: string | null;
  /** The address of this host that it has dialled. */
  to: string;
  /** Of this host's programs, where it was still there to be named. */
  program: Pick<HolderProcess, 'exe' | 'script' | 'user' | 'unit' | 'container'> | null;
  /** It is on this host and dials another address than loopback: it would break if the door were local only. */
  dialsOut: boolean;
};

export type Use = { door: DoorName; client: Client };

/** All conversations of a network namespace at one moment. */
export type Sample = { netns: number | null; own: boolean; flows: readonly Flow[] };

type DoorIndex = ReadonlyMap<string, readonly Listener[]>;

const wildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';
const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';
const keyOf = (protocol: string, from: Place, to: Place): string =>
  `${protocol} ${from.address} ${from.port} ${to.address} ${to.port}`;

export const doorName = ({ protocol, address, port, netns }: Listener): DoorName => ({
  protocol,
  address,
  port,
  netns: netns.inode,
});

/** Which conversations are of a door: those whose sockets have to be looked for among the processes. */
export const pairsOf = (
  listeners: readonly Listener[],
  samples: readonly Sample[],
  here: ReadonlySet<string>,
): { door: Listener; flow: Flow; client: Flow | null; isHere: boolean }[] => {
  const doors = index(listeners);
  const clients = new Map<string, Flow>();
  for (const { flows } of samples)
    for (const flow of flows) clients.set(keyOf(flow.protocol, flow.local, flow.remote), flow);
  const paired = new Set<Flow>();
  const pairs = samples.flatMap(({ netns, flows }) =>
    flows.flatMap((flow) => {
      const door = doorAt(doors, netns, flow.protocol, flow.local);
      if (door === null) return [];
      const client = clients.get(keyOf(flow.protocol, flow.remote, flow.local)) ?? null;
      if (client !== null) paired.add(client);
      const isHere = client !== null || isLoopback(flow.remote.address) || here.has(flow.remote.address);
      return [{ door, flow, client, isHere }];
    }),
  );
  // The client has closed first: its side alone is left.
  const left = samples.flatMap(({ netns, own, flows }) =>
    flows.flatMap((flow) => {
      const stays = isLoopback(flow.remote.address) || (own && here.has(flow.remote.address));
      const door = paired.has(flow) || !stays ? null : doorAt(doors, netns, flow.protocol, flow.remote);
      if (door === null || doorAt(doors, netns, flow.protocol, flow.local) !== null) return [];
      const seenFromDoor = { ...flow, local: flow.remote, remote: flow.local };
      return [{ door, flow: seenFromDoor, client: flow, isHere: true }];
    }),
  );
  return [...pairs, ...left];
};

const index = (listeners: readonly Listener[]): DoorIndex =>
  Map.groupBy(listeners, ({ netns, protocol, port }) => `${netns.inode} ${protocol} ${port}`);

/** The door that takes what is meant for the place: one of that very address before one of any. */
const doorAt = (
  doors: DoorIndex,
  netns: number | null,
  protocol: string,
  { address, port }: Place,
): Listener | null => {
  const some = doors.get(`${netns} ${protocol} ${port}`);
  if (some === undefined) return null;
  const six = address.includes(':');
  return (
    some.find((one) => one.address === address) ??
    some.find((one) => wildcard(one.address) && (one.address === '::') === six) ??
    (six ? null : some.find((one) => one.address === '::' && one.v6only !== true)) ??
    null
  );
};

/** @param programOf by socket inode */
export const useOf = (
  { door, flow, client, isHere }: ReturnType<typeof pairsOf>[number],
  programOf: (inode: number) => Client['program'],
): Use => ({
  door: doorName(door),
  client: {
    from: isHere ? 'this host' : 'elsewhere',
    address: flow.remote.address,
    to: flow.local.address,
    program: client === null ? null : programOf(client.inode),
    dialsOut: isHere && !isLoopback(flow.local.address),
  },
});

/** Who is connected to unix sockets that listen. */
export const unixUses = (
  listeners: readonly Listener[],
  ends: readonly UnixEnd[],
  programOf: (inode: number) => Client['program'],
): Use[] => {
  const doors = new Map(
    listeners.filter(({ protocol }) => protocol === 'unix').map((one) => [one.address, one]),
  );
  return ends.flatMap(({ path, peer }): Use[] => {
    const door = path === null ? undefined : doors.get(path);
    if (door === undefined || peer === 0) return [];
    const client: Client = {
      from: 'this host',
      address: null,
      to: door.address,
      program: programOf(peer),
      dialsOut: false,
    };
    return [{ door: doorName(door), client }];
  });
};

/** Who has sent to doors of datagrams, or to what a rule sends on, as far as the kernel tracks connections. */
export const trackedUses = (
  listeners: readonly Listener[],
  tracked: readonly Tracked[],
  here: ReadonlySet<string>,
): Use[] => {
  const own = listeners.filter(
    ({ netns, protocol, holder }) => netns.own && (protocol === 'udp' || holder === 'forwarder'),
  );
  const doors = index(own);
  const netns = own[0]?.netns.inode ?? null;
  return tracked.flatMap(({ protocol, source, destination, port }): Use[] => {
    const door = doorAt(doors, netns, protocol, { address: destination, port });
    if (door === null) return [];
    const isHere = isLoopback(source) || here.has(source);
    const client: Client = {
      from: isHere ? 'this host' : 'elsewhere',
      address: source,
      to: destination,
      program: null,
      dialsOut: isHere && !isLoopback(destination),
    };
    return [{ door: doorName(door), client }];
  });
};
