import type { HolderProcess, Listener, Reachable } from '#inspect';
import type { DoorState } from '#probe/host';

/** What of a listener is needed to hold it against what was seen from outside. */
export type InsideDoor = Pick<
  Listener,
  'protocol' | 'address' | 'port' | 'v6only' | 'holder' | 'scope' | 'forwardsTo' | 'translatedBy'
> & {
  own: boolean;
  processes: readonly Pick<HolderProcess, 'exe' | 'unit'>[];
  /** As the host's own firewall was read there; `null`: it was not. */
  reachable: Pick<Reachable, 'from' | 'rule'> | null;
};

/** What the host says of itself. `partial`: not all of it could be looked at. */
export type InsideView = { doors: readonly InsideDoor[]; extent: 'whole' | 'partial' };

/**
 * Who gets what a stranger sends to a port of the host. A rule that translates addresses comes before every socket; where
 * it takes some of it alone, by sender or interface, it can be `either`.
 */
export type Taker =
  | { by: 'nobody' }
  | { by: 'socket'; socket: InsideDoor }
  | { by: 'rule'; rule: InsideDoor; socket: InsideDoor | null }
  | { by: 'either'; rule: InsideDoor; socket: InsideDoor };

/** @param serving doors of one port that answer at the probed address */
export const takerOf = (serving: readonly InsideDoor[], seen: DoorState): Taker => {
  const rule = serving.find(({ translatedBy }) => translatedBy !== null);
  const socket = serving.find(({ translatedBy }) => translatedBy === null) ?? null;
  if (rule === undefined) return socket === null ? { by: 'nobody' } : { by: 'socket', socket };
  if (socket === null) return { by: 'rule', rule, socket };
  const reachable = socket.reachable;
  const takesAll = reachable !== null && reachable.rule === rule.translatedBy;
  const isKept = reachable?.from === 'nobody' || reachable?.from === 'this host';
  return takesAll || (isKept && seen === 'open')
    ? { by: 'rule', rule, socket }
    : { by: 'either', rule, socket };
};

/** `mariadbd listens on 127.0.0.1`. */
export const listens = (door: InsideDoor): string => `${holderName(door)} listens on ${boundAt(door)}`;

export const handsOn = (rule: InsideDoor): string =>
  `a rule hands it on${towards(rule)} (${rule.translatedBy})`;

export const towards = ({ forwardsTo }: InsideDoor): string =>
  forwardsTo === null ? '' : `, to ${forwardsTo}`;

/** The program's name, else the unit's, else who holds it. */
export const holderName = ({ processes, holder, translatedBy }: InsideDoor): string => {
  // Where systemd holds it too, its service tells more.
  const first = processes.find(({ unit }) => unit !== 'init.scope') ?? processes[0];
  const program = first?.exe?.split('/').at(-1);
  if (translatedBy !== null) return 'a rule';
  return program ?? first?.unit ?? (holder === 'unseen' ? 'somebody' : `the ${holder}`);
};

export const boundAt = ({ address, v6only, own }: InsideDoor): string => {
  const where =
    address === '0.0.0.0'
      ? 'all IPv4 addresses'
      : address === '::'
        ? v6only === true
          ? 'all IPv6 addresses'
          : 'all addresses'
        : address;
  return own ? where : `${where} of another network namespace`;
};
