import {
  judgeDoors,
  openingOf,
  packageChanges,
  type Door,
  type Listener,
  type Noted,
  type PackageChange,
  type ServicesReport,
  type UseBook,
} from '#inspect';
import type { Fact } from '#ship';

/** Of one door so many clients are facts by name; of more, how many there are. */
const mostClients = 50;

/**
 * One fact for each endpoint and one for who uses it, so that the log tells when which one came, changed and went; a door
 * for the network that was not there before is also a line of its own, with what came with it.
 */
export type DoorFacts = { factsOf(report: ServicesReport, uses: UseBook | null): Promise<Fact[]> };

export const doorFacts = (): DoorFacts => {
  let known: ReadonlyMap<string, Fact['news']> | null = null;
  return {
    async factsOf(report, uses) {
      const byName = Map.groupBy(report.listeners.filter(isLasting), nameOf);
      const fresh = [...byName].filter(
        ([name, [first]]) => !known?.has(name) && first !== undefined && isOfNetwork(first),
      );
      // At the first look nothing is new, and the rules need not be read.
      const judged = known === null || fresh.length === 0 ? null : await judgeDoors(report);
      const doors = new Map(judged?.listeners.map((door) => [nameOf(door), door]));
      const before = known;
      const changes = fresh.length === 0 ? [] : packageChanges('');
      const news = new Map(
        [...byName].map(([name, [first]]) => [
          name,
          before?.get(name) ??
            (first === undefined || !isOfNetwork(first)
              ? undefined
              : newsOf(doors.get(name) ?? { ...first, reachable: null }, changes)),
        ]),
      );
      known = news;
      return [
        ...[...byName].map(([name, value]): Fact => ({
          name,
          value: value.map(toSend),
          news: news.get(name),
        })),
        ...(uses === null ? [] : useFacts(uses.uses, byName)),
        { name: 'listeners could-not-look', value: report.couldNotLook },
      ];
    },
  };
};

const nameOf = ({ protocol, address, port, netns }: Listener): string =>
  `listener ${protocol} ${address} ${port ?? '-'}${netns.own ? '' : ` in ${netns.container?.name ?? netns.name ?? `net:[${netns.inode ?? '?'}]`}`}`;

/** Not a client's socket that waits for an answer, nor a name that the kernel made up. */
const isLasting = ({ transient, protocol, address }: Listener): boolean =>
  transient !== true && !(protocol === 'unix' && /^@[0-9a-f]{5}$/.test(address));

/** What is worth a line of its own. */
const isOfNetwork = ({ protocol, transient }: Listener): boolean => protocol !== 'unix' && transient === null;

/** Socket inodes are new with every restart; command lines may hold what should not leave the host. JSON leaves out undefined. */
const toSend = (listener: Listener): unknown => ({
  ...listener,
  inodes: undefined,
  transient: undefined,
  processes: listener.processes.map((process) => ({ ...process, args: undefined })),
});

const newsOf = (door: Door, changes: readonly PackageChange[]): NonNullable<Fact['news']> => {
  const { protocol, address, port, netns, scope, reachable } = door;
  const where = `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port ?? '*'}`;
  const place = netns.own ? null : (netns.container?.name ?? netns.name ?? null);
  const named = {
    door: place === null ? where : `${where} in ${place}`,
    protocol,
    address,
    port,
    scope,
    container: place,
  };
  const opening = openingOf(door, Date.now(), changes);
  const by = opening.program?.exe ?? door.kernelService ?? opening.socketUnit ?? 'somebody unseen';
  return {
    opened: {
      kind: 'door',
      event: 'opened',
      severity: scope === 'local' ? 'info' : 'warning',
      message: `a new door: ${named.door}, opened by ${by}${reachable === null ? '' : `, reachable from ${reachable.from === 'networks' ? reachable.networks.join(', ') : reachable.from}`}`,
      ...named,
      reachable: reachable?.from ?? null,
      rule: reachable?.rule ?? null,
      ...opening,
    },
    closed: { kind: 'door', event: 'closed', message: `a door is shut: ${named.door}`, ...named },
  };
};

/** Without times, which would be new with each look: the line's own says when it began. */
const useFacts = (uses: readonly Noted[], doors: ReadonlyMap<string, readonly Listener[]>): Fact[] => {
  const names = new Map(
    [...doors].flatMap(([name, of]) =>
      of.map((one) => [JSON.stringify([one.protocol, one.address, one.port, one.netns.inode]), name]),
    ),
  );
  const byDoor = Map.groupBy(uses, ({ door }) =>
    names.get(JSON.stringify([door.protocol, door.address, door.port, door.netns])),
  );
  return [...byDoor].flatMap(([name, of]): Fact[] => {
    if (name === undefined) return [];
    const clients = of.map(({ client }) => client);
    const value =
      clients.length > mostClients
        ? { clients: clients.length }
        : { clients: clients.toSorted((a, b) => order(a).localeCompare(order(b))) };
    return [{ name: name.replace(/^listener/, 'users of'), value }];
  });
};

const order = (client: Noted['client']): string => JSON.stringify(client);
