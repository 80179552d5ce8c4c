import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { unitOfCgroup } from '#inspect';
import { FixError } from './errors.ts';
import { lastWord, run } from './run.ts';

/** Who was seen to use a door, and how. */
export type Client = {
  /** Address that it came from. */
  from: string;
  /** Address of this host that it dialled: what breaks a local client when the door becomes local. */
  to: string;
  /** It runs on this host. */
  local: boolean;
  /** Of a local client: its process and unit. */
  pid: number | null;
  program: string | null;
  unit: string | null;
  /** Looks at which it was connected, of all that were taken. */
  seen: number;
};

/** What was seen, and for how long was looked: who was not seen may still come. */
export type Use = {
  clients: Client[];
  milliseconds: number;
  looks: number;
  /** How well senders over UDP were looked for; `null` where no door takes UDP. */
  overUdp: string | null;
};

/** One connection, both ends numeric. `user` and `unit` are of the local end; `null` where its process has ended. */
export type Connection = {
  local: { address: string; port: number };
  peer: { address: string; port: number };
  user: { program: string; pid: number } | null;
  unit: string | null;
};

/**
 * Rows of `ss -Htnp --cgroup state established`: queues, local, peer, `users:(("name",pid=1,fd=2))`, `cgroup:/…`. Of several
 * processes the first that was started counts: the others have it from there.
 */
export const parseConnections = (printed: string): Connection[] =>
  printed.split('\n').flatMap((line) => {
    const ends = line.match(/\S+:\d+(?=\s)/g);
    const [local, peer] = (ends ?? []).map(endOf);
    if (local === undefined || peer === undefined) return [];
    const [user = null] = [...line.matchAll(/\("((?:[^"\\]|\\.)*)",pid=(\d+)/g)]
      .map(([, program = '', pid]) => ({ program, pid: Number(pid) }))
      .toSorted((one, other) => one.pid - other.pid);
    const [, cgroup = ''] = /\bcgroup:(\S+)/.exec(line) ?? [];
    return [{ local, peer, user, unit: unitOfCgroup(`0::${cgroup}`) }];
  });

const endOf = (text: string): Connection['local'] => {
  const at = text.lastIndexOf(':');
  const address = text
    .slice(0, at)
    .replaceAll(/[[\]]/g, '')
    .replace(/%.*$/, '')
    .replace(/^::ffff:/, '');
  return { address, port: Number(text.slice(at + 1)) };
};

/**
 * Who is connected to these TCP ports of this host.
 * @param mine addresses of this host
 */
export const clientsIn = (
  connections: readonly Connection[],
  ports: ReadonlySet<number>,
  mine: ReadonlySet<string>,
): Client[] =>
  connections.flatMap(({ local, peer }) => {
    if (!ports.has(local.port)) return [];
    const isLocal = mine.has(peer.address) || peer.address.startsWith('127.') || peer.address === '::1';
    const its = connections.find(
      (other) =>
        other.local.port === peer.port &&
        other.peer.port === local.port &&
        other.local.address === peer.address,
    );
    return [
      {
        from: peer.address,
        to: local.address,
        local: isLocal,
        pid: its?.user?.pid ?? null,
        program: its?.user?.program ?? null,
        unit: its?.unit ?? null,
        seen: 1,
      },
    ];
  });

/** What makes two clients the same one at two times: a short-lived process has another number each time. */
export const clientKey = ({ from, to, local, program, unit }: Client): string =>
  JSON.stringify(local ? [to, unit, program] : [from, to]);

const everyMs = 200;

/**
 * Watches who is connected over TCP, for a while. Runs `ss`.
 * @throws FixError `could-not-look`
 */
export const watchUse = async (
  ports: ReadonlySet<number>,
  milliseconds: number,
): Promise<Omit<Use, 'overUdp'>> => {
  const clients = new Map<string, Client>();
  const started = performance.now();
  let looks = 0;
  do {
    if (looks > 0) await sleep(everyMs);
    const outcome = await run(['ss', '-Htnp', '--cgroup', 'state', 'established']);
    if (outcome.status !== 0)
      throw new FixError(
        'could-not-look',
        `who is connected is asked of ss, and it said: ${lastWord(outcome)}. Install iproute2`,
      );
    looks += 1;
    const now = clientsIn(parseConnections(outcome.stdout), ports, ownAddresses());
    for (const [key, client] of new Map(now.map((one) => [clientKey(one), one])))
      clients.set(key, { ...client, seen: (clients.get(key)?.seen ?? 0) + 1 });
  } while (performance.now() - started < milliseconds);
  return { clients: named([...clients.values()]), milliseconds: performance.now() - started, looks };
};

export const ownAddresses = (): Set<string> =>
  new Set(
    Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .map(({ address }) => address),
  );

/** Whose process had ended before it was looked at is left out where another of the same unit is named. */
const named = (clients: readonly Client[]): Client[] =>
  clients.filter(
    (one) =>
      one.program !== null ||
      !clients.some(({ program, unit, to }) => program !== null && unit === one.unit && to === one.to),
  );
