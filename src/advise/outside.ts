import type { HolderProcess, Listener, Reachable } from '#inspect';
import type { Outcome } from '#probe/host';
import { answersAt } from './answers-at.ts';

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

/** What became of datagrams with a token that were sent to a silent door. */
export type Arrival = {
  sent: number;
  /** As the host counted them; `null`: it did not. */
  counted: {
    /** Came in by an interface, before any filter. */
    reached: number;
    /** Passed every filter on the way to a local socket. */
    passed: number;
    /** Passed every filter on the way to somewhere else. */
    forwarded: number;
  } | null;
  /** Address of the line of the log that the token came to, where it did. */
  logged: string | null;
};

/**
 * - `open`, `shut`: inside and outside agree;
 * - `elsewhere`: shut, because it is bound to another address;
 * - `forwarded`: open, and no socket of the host's own: a rule or a forwarder hands it on;
 * - `firewalled`: something listens, and a filter keeps strangers from it;
 * - `gone`: something listened, nothing known stands in the way, and yet it refuses;
 * - `nobody`: open, and the host has nobody there;
 * - `undecided`: it cannot be told which;
 * - `not-looked`: it could not be tried.
 */
export type Verdict =
  'open' | 'shut' | 'elsewhere' | 'forwarded' | 'firewalled' | 'gone' | 'nobody' | 'undecided' | 'not-looked';

export type Compared = {
  outcome: Outcome;
  /** The host's own doors on that port, the ones that answer at the probed address first. */
  inside: readonly InsideDoor[];
  verdict: Verdict;
  /** One sentence. */
  explanation: string;
};

/** Holds what was seen at `address` from outside against what the host says of itself. */
export const compare = (
  outcome: Outcome,
  address: string,
  view: InsideView,
  arrival: Arrival | null,
): Compared => {
  const same = view.doors.filter(
    ({ protocol, port }) => protocol === outcome.protocol && port === outcome.port,
  );
  const serving = same.filter((door) => answersAt(door, address));
  const others = same.filter((door) => !serving.includes(door));
  const [verdict, explanation] = judge(outcome, serving, others, view, arrival);
  return { outcome, inside: [...serving, ...others], verdict, explanation };
};

const judge = (
  outcome: Outcome,
  serving: readonly InsideDoor[],
  others: readonly InsideDoor[],
  view: InsideView,
  arrival: Arrival | null,
): [Verdict, string] => {
  switch (outcome.state) {
    case 'open':
      return whyOpen(serving, others, view);
    case 'refused':
    case 'filtered':
      return whyShut(outcome, serving, others);
    case 'silent':
      return whySilent(serving, others, view, arrival);
    case 'not-looked':
      return ['not-looked', outcome.why];
  }
};

const whyOpen = (
  [door]: readonly InsideDoor[],
  others: readonly InsideDoor[],
  { extent }: InsideView,
): [Verdict, string] => {
  if (door?.translatedBy !== null && door?.translatedBy !== undefined)
    return ['forwarded', `no socket of the host’s own: ${door.translatedBy}${towards(door)}`];
  if (door?.holder === 'forwarder') return ['forwarded', `${holderName(door)} hands it on${towards(door)}`];
  if (door !== undefined) return ['open', `${holderName(door)} listens on ${boundAt(door)}`];
  const [other] = others;
  if (other !== undefined)
    return [
      'forwarded',
      `${holderName(other)} listens on ${boundAt(other)} alone, so something hands it on: a DNAT rule, a proxy, or address translation before the host`,
    ];
  return extent === 'whole'
    ? [
        'nobody',
        'nobody listens there: a DNAT rule or a proxy answers in the host’s place, or it opened since the host looked',
      ]
    : ['undecided', 'open; the host names nobody there, and could not see all of itself'];
};

const whyShut = (
  { state, why }: Outcome,
  [door]: readonly InsideDoor[],
  [other]: readonly InsideDoor[],
): [Verdict, string] => {
  if (door !== undefined) {
    const rule = door.reachable?.rule;
    const listens = `${holderName(door)} listens on ${boundAt(door)}`;
    if (state === 'filtered')
      return ['firewalled', `${listens}, and a filter drops it${rule === undefined ? '' : `: ${rule}`}`];
    return door.reachable !== null && door.reachable.from !== 'anyone' && door.scope !== 'local'
      ? ['firewalled', `${listens}, and a filter rejects it: ${door.reachable.rule}`]
      : ['gone', `${listens}, and yet it refuses: it ended since the host looked, or a filter rejects it`];
  }
  if (other !== undefined)
    return ['elsewhere', `${holderName(other)} listens on ${boundAt(other)}${other.own ? ' alone' : ''}`];
  return ['shut', state === 'filtered' ? `nobody listens, and it is filtered (${why})` : 'nobody listens'];
};

const whySilent = (
  [door]: readonly InsideDoor[],
  [other]: readonly InsideDoor[],
  { extent }: InsideView,
  arrival: Arrival | null,
): [Verdict, string] => {
  if (arrival?.logged !== null && arrival?.logged !== undefined)
    return ['open', `what was sent is in the log, at ${arrival.logged}`];
  const listens = door === undefined ? null : `${holderName(door)} listens on ${boundAt(door)}`;
  const nobody: [Verdict, string] =
    extent === 'whole'
      ? ['shut', 'nobody listens, and a filter drops what would say so']
      : ['undecided', 'the host names nobody there, and could not see all of itself'];
  const counted = arrival?.counted ?? null;
  if (arrival !== null && counted !== null) {
    const { sent } = arrival;
    const came = (packets: number, where: string): string => `${packets} of ${sent} datagrams ${where}`;
    if (counted.reached === 0)
      return ['firewalled', `none of ${sent} datagrams reached the host: dropped on the way`];
    if (counted.forwarded > 0)
      return ['forwarded', `${came(counted.forwarded, 'were handed on, past every filter')}`];
    if (counted.passed === 0)
      return ['firewalled', `${came(counted.reached, 'reached the host, and its filter let none pass')}`];
    const passed = came(counted.passed, 'passed every filter');
    if (listens !== null) return ['open', `${listens}, and ${passed}`];
    return [nobody[0], `${passed}; ${nobody[1]}`];
  }
  if (listens !== null)
    return ['undecided', `${listens}; whether datagrams get there only the host can tell (--through)`];
  if (other !== undefined) return ['elsewhere', `${holderName(other)} listens on ${boundAt(other)} alone`];
  return nobody;
};

const towards = ({ forwardsTo }: InsideDoor): string => (forwardsTo === null ? '' : `, to ${forwardsTo}`);

/** The program's name, else the unit's, else who holds it. */
export const holderName = ({ processes, holder, translatedBy }: InsideDoor): string => {
  // Where systemd holds it too, its service tells more.
  const first = processes.find(({ unit }) => unit !== 'init.scope') ?? processes[0];
  const program = first?.exe?.split('/').at(-1);
  if (translatedBy !== null) return 'a rule';
  return program ?? first?.unit ?? (holder === 'unseen' ? 'somebody' : `the ${holder}`);
};

export const boundAt = ({ address, own }: InsideDoor): string => {
  const where = address === '0.0.0.0' || address === '::' ? 'all addresses' : address;
  return own ? where : `${where} of another network namespace`;
};
