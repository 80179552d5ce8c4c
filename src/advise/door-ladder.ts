import type { Option } from '#wire/audit';
import type { KnownService } from './known-service.ts';

/** What each step of the ladder would cost on this host, as far as it was seen. */
export type DoorCosts = {
  /** The daemon's package and what apt would remove along with it; `null` where no package or apt could be asked. */
  removal: { package: string; alsoRemoves: readonly string[] } | null;
  /** Units that systemd would stop with it. */
  requiredBy: readonly string[];
  /** Who was seen to use it, for people: `php of cacti-poller.service`, `10.0.0.7`. */
  localUsers: readonly string[];
  remoteUsers: readonly string[];
  /** Local programs that dial an address which would not answer any more. */
  lanDiallers: readonly string[];
  watchedSeconds: number;
  /** How well senders over UDP were looked for; `null` where no door takes UDP. */
  overUdp: string | null;
  /** What would be written, where Holdfast can do it. */
  localBy: string | null;
  /** Of the daemon as it stands open. */
  version: string | null;
  pendingVersion: string | null;
  user: string | null;
  /** From `systemd-analyze security`, e.g. `8.8 EXPOSED`. */
  sandbox: string | null;
};

export type Rung = { step: Option['step']; cost: string };

export type DoorLadder = {
  rungs: readonly Rung[];
  recommended: Option['step'];
  reason: string;
  confidence: 'high' | 'medium' | 'low';
};

/** The five steps for one door, what each would cost here, and which one is meant. */
export const doorLadder = (known: KnownService | null, costs: DoorCosts): DoorLadder => ({
  rungs: [
    { step: 'do not install', cost: removalCost(costs) },
    { step: 'do not run', cost: stopCost(costs) },
    { step: 'local only', cost: localCost(costs) },
    { step: 'firewalled', cost: firewallCost(costs) },
    { step: 'public', cost: publicCost(costs) },
  ],
  ...recommend(known, costs),
});

const removalCost = ({ removal }: DoorCosts): string => {
  if (removal === null) return 'it is of no package, or apt could not be asked';
  const { package: name, alsoRemoves } = removal;
  return alsoRemoves.length === 0
    ? `nothing else would go with ${name}`
    : `with ${name} would go ${some(alsoRemoves)}`;
};

const stopCost = ({ requiredBy, localUsers, remoteUsers }: DoorCosts): string => {
  const users = [...localUsers, ...remoteUsers];
  const parts = [
    ...(users.length === 0 ? [] : [`${some(users)} would lose it`]),
    ...(requiredBy.length === 0 ? [] : [`systemd would stop ${some(requiredBy)} with it`]),
  ];
  return parts.length === 0 ? 'nobody was seen who would miss it' : parts.join('; ');
};

const localCost = ({ lanDiallers, remoteUsers, localBy }: DoorCosts): string => {
  const lost = [
    ...(remoteUsers.length === 0 ? [] : [`${some(remoteUsers)} would be refused`]),
    ...(lanDiallers.length === 0 ? [] : [`${some(lanDiallers)} would have to dial 127.0.0.1 first`]),
  ];
  const how = localBy === null ? 'by hand: holdfast audit says how' : `by ${localBy}`;
  return [how, ...(lost.length === 0 ? ['nobody was seen who would lose it'] : lost)].join('; ');
};

const firewallCost = ({ remoteUsers }: DoorCosts): string =>
  remoteUsers.length === 0
    ? 'no other host was seen to use it: there is none to let in'
    : `let in ${some(remoteUsers)}, and nobody else`;

const publicCost = ({ version, pendingVersion, user, sandbox }: DoorCosts): string =>
  [
    `whoever comes talks to ${version === null ? 'it' : `version ${version}`}${user === null ? '' : `, run by ${user}`}`,
    ...(pendingVersion === null ? [] : [`${pendingVersion} is pending`]),
    ...(sandbox === null ? [] : [`sandbox: ${sandbox}`]),
  ].join('; ');

const recommend = (
  known: KnownService | null,
  costs: DoorCosts,
): Pick<DoorLadder, 'recommended' | 'reason' | 'confidence'> => {
  const { localUsers, remoteUsers, watchedSeconds, overUdp } = costs;
  const confidence =
    watchedSeconds < 60 || overUdp !== null ? 'low' : watchedSeconds < 86_400 ? 'medium' : 'high';
  const within = `within ${watchedSeconds} s${overUdp === null ? '' : `; ${overUdp}`}`;
  if (known?.meantForStrangers === true)
    return {
      recommended: 'firewalled',
      reason: 'being reached by others is what it is there for',
      confidence: 'high',
    };
  if (remoteUsers.length > 0)
    return { recommended: 'firewalled', reason: `other hosts use it: ${some(remoteUsers)}`, confidence };
  if (localUsers.length > 0)
    return {
      recommended: 'local only',
      reason: `programs of this host alone were seen to use it ${within}`,
      confidence,
    };
  const recommended = known?.recommended ?? 'local only';
  return { recommended, reason: `nobody was seen to use it ${within}`, confidence };
};

const some = (all: readonly string[]): string =>
  all.length <= 3 ? all.join(', ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`;
