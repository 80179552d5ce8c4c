import type { Outcome } from '#probe/host';
import { answersAt } from './answers-at.ts';
import {
  handsOn,
  holderName,
  listens,
  takerOf,
  towards,
  type InsideDoor,
  type InsideView,
  type Taker,
} from './inside-door.ts';

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
  const taker = takerOf(serving, outcome.state);
  const [verdict, explanation] = judge(outcome, taker, others, view, arrival);
  const first = taker.by === 'rule' ? [taker.rule] : [];
  return { outcome, inside: [...new Set([...first, ...serving, ...others])], verdict, explanation };
};

const judge = (
  outcome: Outcome,
  taker: Taker,
  others: readonly InsideDoor[],
  view: InsideView,
  arrival: Arrival | null,
): [Verdict, string] => {
  switch (outcome.state) {
    case 'open':
      return whyOpen(taker, others, view);
    case 'refused':
    case 'filtered':
      return whyShut(outcome, taker, others);
    case 'silent':
      return whySilent(taker, others, view, arrival);
    case 'not-looked':
      return ['not-looked', outcome.why];
  }
};

const whyOpen = (taker: Taker, [other]: readonly InsideDoor[], { extent }: InsideView): [Verdict, string] => {
  switch (taker.by) {
    case 'rule':
      return [
        'forwarded',
        `${taker.socket === null ? 'no socket of the host’s own' : `not by ${holderName(taker.socket)}, which has the port too`}: ${taker.rule.translatedBy}${towards(taker.rule)}`,
      ];
    case 'either':
      return ['undecided', `${eitherOf(taker)} answered`];
    case 'socket':
      return whyAnswered(taker.socket);
    case 'nobody':
  }
  if (other !== undefined)
    return [
      'forwarded',
      `${listens(other)} alone, so something hands it on: a DNAT rule, a proxy, or address translation before the host`,
    ];
  return extent === 'whole'
    ? [
        'nobody',
        'nobody listens there: a DNAT rule or a proxy answers in the host’s place, or it opened since the host looked',
      ]
    : ['undecided', 'open; the host names nobody there, and could not see all of itself'];
};

const whyAnswered = (door: InsideDoor): [Verdict, string] => {
  if (door.holder === 'forwarder') return ['forwarded', `${holderName(door)} hands it on${towards(door)}`];
  return door.reachable?.from === 'nobody'
    ? [
        'undecided',
        `${listens(door)}, which by the host’s rules nobody reaches (${door.reachable.rule}): another answers in its place, or the rules are not these any more`,
      ]
    : ['open', listens(door)];
};

const eitherOf = ({ socket, rule }: Extract<Taker, { by: 'either' }>): string =>
  `${listens(socket)}, and ${handsOn(rule)}, for some or all: it cannot be told which of the two`;

const whyShut = (
  { state, why }: Outcome,
  taker: Taker,
  [other]: readonly InsideDoor[],
): [Verdict, string] => {
  switch (taker.by) {
    case 'rule':
      return state === 'filtered'
        ? ['undecided', `${handsOn(taker.rule)}: nobody is there, or a filter drops it`]
        : ['gone', `${handsOn(taker.rule)}, and there it is refused: nobody listens, or a filter rejects it`];
    case 'either':
      return ['undecided', `${eitherOf(taker)} did not answer`];
    case 'socket':
      return whyNotReached(state, taker.socket);
    case 'nobody':
  }
  if (other !== undefined) return ['elsewhere', `${listens(other)}${other.own ? ' alone' : ''}`];
  return ['shut', state === 'filtered' ? `nobody listens, and it is filtered (${why})` : 'nobody listens'];
};

const whyNotReached = (state: Outcome['state'], door: InsideDoor): [Verdict, string] => {
  // The rule that lets anyone in is not the one that did not.
  const rule = door.reachable === null || door.reachable.from === 'anyone' ? null : door.reachable.rule;
  if (state === 'filtered')
    return [
      'firewalled',
      `${listens(door)}, and a filter drops it: ${rule ?? 'none that the host names for all; one on the way, or one for this address or for where you are'}`,
    ];
  return rule !== null && door.scope !== 'local'
    ? ['firewalled', `${listens(door)}, and a filter rejects it: ${rule}`]
    : [
        'gone',
        `${listens(door)}, and yet it refuses: it ended since the host looked, or a filter rejects it`,
      ];
};

const whySilent = (
  taker: Taker,
  [other]: readonly InsideDoor[],
  { extent }: InsideView,
  arrival: Arrival | null,
): [Verdict, string] => {
  if (arrival?.logged !== null && arrival?.logged !== undefined)
    return ['open', `what was sent is in the log, at ${arrival.logged}`];
  const socket = taker.by === 'nobody' ? null : taker.socket;
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
    if (socket !== null) return ['open', `${listens(socket)}, and ${passed}`];
    return [nobody[0], `${passed}; ${nobody[1]}`];
  }
  if (taker.by !== 'nobody') {
    const who = taker.by === 'socket' ? listens(taker.socket) : handsOn(taker.rule);
    return ['undecided', `${who}; whether datagrams get there only the host can tell (--through)`];
  }
  if (other !== undefined) return ['elsewhere', `${listens(other)} alone`];
  return nobody;
};
