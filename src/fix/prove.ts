import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { collectServices, hidesOwnSockets, type Listener } from '#inspect';
import { knockFromHost, knockFromNamespace, type Answer, type Target } from '#probe';
import { isExposed, unitOf } from './choose.ts';
import { ownAddresses } from './clients.ts';
import type { OpenDoor, Plan } from './plan.ts';

/** What is open of a daemon, as this host itself sees it. */
export type Inside = {
  exposed: Listener[];
  local: Listener[];
  /** Why sockets of this host may not have been seen; `null` where all were. */
  blind: string | null;
};

/** @param doors by whose ports the daemon is known, whatever holds them by now */
export const lookInside = async ({ unit, doors }: Pick<Plan, 'unit' | 'doors'>): Promise<Inside> => {
  const { listeners, couldNotLook } = await collectServices();
  const gap = couldNotLook.find(hidesOwnSockets);
  const its = listeners.filter(
    (one) =>
      one.netns.own &&
      (doors.some(({ protocol, port }) => one.protocol === protocol && one.port === port) ||
        (unitOf(one) === unit && isExposed(one))),
  );
  return {
    exposed: its.filter(isExposed),
    local: its.filter(({ scope }) => scope === 'local'),
    blind: gap === undefined ? null : `${gap.what}: ${gap.why}`,
  };
};

const everyMs = 250;

/** Looks again until it is so, or the time is over. @returns what was seen last */
export const untilInside = async (
  plan: Pick<Plan, 'unit' | 'doors'>,
  holds: (inside: Inside) => boolean,
  patienceMs: number,
): Promise<Inside> => {
  const until = performance.now() + patienceMs;
  for (;;) {
    const inside = await lookInside(plan);
    if ((inside.blind === null && holds(inside)) || performance.now() > until) return inside;
    await sleep(everyMs);
  }
};

/** Whether the kernel may have chosen the port (ip_local_port_range): the daemon has another one at each start. */
export const isHandedOut = (port: number | null): boolean => {
  const [least = 32_768, most = 60_999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return port !== null && port >= least && port <= most;
};

/** Every port that must still be open to this host is. */
export const isHere = ({ doors, closes }: Pick<Plan, 'doors' | 'closes'>, { local }: Inside): boolean =>
  doors.every(
    ({ protocol, port }) =>
      closes.includes(`${protocol} ${port}`) ||
      local.some((one) => one.protocol === protocol && one.port === port),
  );

/** One knock: which door, from where, what came back. */
export type Knock = { target: Target; answer: Answer | { why: string } };

/** At so many addresses and ports is knocked; a daemon rarely has more. */
const most = 16;

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::';

/**
 * Knocks at the doors from outside. What is bound to an address that this host has no more is out of everybody's reach.
 * @param from a command that reaches another host; `null`: from a network namespace on this one
 */
export const knockAt = async (doors: readonly OpenDoor[], from: string | null): Promise<Knock[]> => {
  const leftOut = { why: `not knocked at: it has more than ${most} addresses and ports` };
  const knock = async (target: Target): Promise<Knock['answer']> =>
    from === null ? knockFromNamespace(target) : knockFromHost(from, target);
  const knocks: Knock[] = [];
  const there = doors.filter(({ address }) => isWildcard(address) || ownAddresses().has(address));
  for (const target of targetsOf(there, { four: firstAddress('IPv4'), six: firstAddress('IPv6') }))
    knocks.push({ target, answer: knocks.length < most ? await knock(target) : leftOut });
  return knocks;
};

/**
 * An address that others reach for each port: a wildcard stands for the first address of each family that it takes.
 * @param own the first addresses of this host; `null` where it has none of the family
 */
export const targetsOf = (
  doors: readonly OpenDoor[],
  { four, six }: { four: string | null; six: string | null },
): Target[] => {
  const targets = new Map<string, Target>();
  for (const { protocol, address, port, v6only } of doors) {
    const both = v6only === true ? [six] : [six, four];
    const dialled = address === '0.0.0.0' ? [four] : address === '::' ? both : [address];
    for (const one of dialled) {
      // Link-local and multicast addresses are of one interface.
      if (one === null || /^(?:fe80:|ff|22[4-9]\.|23\d\.)/i.test(one)) continue;
      targets.set(`${protocol} ${one} ${port}`, { protocol, address: one, port });
    }
  }
  return [...targets.values()];
};

const firstAddress = (family: 'IPv4' | 'IPv6'): string | null =>
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find((one) => one.family === family && !one.internal && !one.address.startsWith('fe80:'))?.address ??
  null;

/** Whether a knock tells open from shut, as far as its protocol can. */
export const isDecided = ({ answer }: Knock): boolean =>
  typeof answer === 'string' && answer !== 'unreachable';

/** `10.0.0.5 tcp 3306: refused`. */
export const knockText = (knock: Knock): string =>
  `${knock.target.address} ${knock.target.protocol} ${knock.target.port}: ${answerText(knock)}`;

/** `refused`, or why there is no answer. */
export const answerText = ({ answer }: Knock): string => (typeof answer === 'string' ? answer : answer.why);
