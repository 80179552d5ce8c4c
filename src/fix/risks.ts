import { BlockList, isIP } from 'node:net';
import { isLoopback, recognise, type Turn } from '#advise';
import type { Listener } from '#inspect';
import type { Use } from './clients.ts';
import { takesAway, type FixStep } from './steps.ts';

/**
 * What may hurt, by the name under which the operator accepts it:
 *
 * - `remote-clients`: other hosts were seen to use the door;
 * - `lan-address-clients`: programs of this host dial an address that will not answer any more;
 * - `local-clients`: programs of this host use what is to be stopped or removed, or units stop along with it;
 * - `removes-others`: packages that need the one that is removed go with it;
 * - `lose-login`: this is how the operator comes in, or what keeps the host on the network;
 * - `edits-conffile`: a file of a package is edited, which holds back its later upgrades;
 * - `configuration-management`: a file says that a program writes it, which will put the old text back;
 * - `unproven-outside`: nothing could try the door from outside.
 */
export type RiskName =
  | 'remote-clients'
  | 'lan-address-clients'
  | 'local-clients'
  | 'removes-others'
  | 'lose-login'
  | 'edits-conffile'
  | 'configuration-management'
  | 'unproven-outside';

export const riskNames: readonly RiskName[] = [
  'remote-clients',
  'lan-address-clients',
  'local-clients',
  'removes-others',
  'lose-login',
  'edits-conffile',
  'configuration-management',
  'unproven-outside',
];

export type Risk = {
  name: RiskName;
  why: string;
  /** A fix goes ahead only where it was accepted by name; the others are told. */
  mustAccept: boolean;
};

const logins =
  /^(?:sshd?|dropbear|openvpn|cockpit|wireguard|wg-quick|tailscaled|charon|strongswan|ipsec|xrdp|vnc|x11vnc|telnetd|in\.telnetd|webmin)(?![a-z])/i;

/** Address configuration and routing: without them the host is off the network, at once or when its lease ends. */
const networks =
  /^(?:networking|ifup|systemd-networkd|NetworkManager|dhclient|dhcpcd|udhcpc|connmand?|wickedd?|wpa_supplicant|bird|frr)(?![a-z])/i;

/** By what an operator may be locked out when a door is shut; `null` where by nothing that is known. */
export type Lockout = 'login' | 'network' | null;

/** What the doors may be to an operator: a login, a tunnel, what forwards to one; or what keeps the host on the network. */
export const lockoutOf = (doors: readonly Listener[]): Lockout => {
  if (doors.some(keepsNetwork)) return 'network';
  return doors.some(mayBeLogin) ? 'login' : null;
};

const mayBeLogin = (one: Listener): boolean =>
  one.holder === 'forwarder' || recognise(one)?.name === 'OpenSSH' || isNamed(one, logins);

const keepsNetwork = (one: Listener): boolean =>
  recognise(one)?.name === 'DHCP client' || isNamed(one, networks);

const isNamed = (one: Listener, names: RegExp): boolean =>
  [
    one.kernelService,
    one.socketUnit,
    one.activates,
    ...one.processes.flatMap(({ exe, unit }) => [exe?.replace(/^.*\//, ''), unit]),
  ].some((name) => names.test(name ?? ''));

const lockouts: Readonly<Record<NonNullable<Lockout>, string>> = {
  login: 'it may be how you come in; unless it is confirmed in time, it is undone',
  network:
    'it keeps this host on the network (an address may also go later, when its lease ends); unless it is confirmed in time, it is undone',
};

/** @param isConffile whether a package brought the file and would ask about its upgrades */
export const risksOf = (
  turn: Pick<Turn, 'edits'> & { along: readonly string[] },
  use: Use,
  isConffile: (path: string) => boolean,
  before: (path: string) => string | null,
  step: FixStep,
  allow: readonly string[],
  lockout: Lockout,
): Risk[] => {
  const risks: Risk[] = [];
  const remote = [
    ...new Set(
      use.clients.filter(({ local, from }) => !local && !isAllowed(allow, from)).map(({ from }) => from),
    ),
  ];
  if (remote.length > 0)
    risks.push({
      name: 'remote-clients',
      mustAccept: true,
      why: `${some(remote)} ${remote.length === 1 ? 'is' : 'are'} connected from outside, and will be refused`,
    });
  const locals = use.clients.filter(({ local }) => local);
  const users = locals.map(({ program, unit }) => `${program ?? 'a process'} of ${unit ?? 'no unit'}`);
  const losers = [
    ...(users.length === 0 ? [] : [`${some(users)} would lose it`]),
    ...turn.along.map((unit) => `${unit} needs it, and stops along with it`),
  ];
  if (takesAway(step) && losers.length > 0)
    risks.push({ name: 'local-clients', mustAccept: true, why: losers.join('; ') });
  const dialling = step === 'local only' ? locals.filter(({ to }) => !isLoopback(to)) : [];
  if (dialling.length > 0)
    risks.push({
      name: 'lan-address-clients',
      mustAccept: true,
      why: `${some(dialling.map(({ program, unit, to }) => `${program ?? 'a process'} of ${unit ?? 'no unit'} dials ${to}`))}: only 127.0.0.1 will answer`,
    });
  if (lockout !== null) risks.push({ name: 'lose-login', mustAccept: true, why: lockouts[lockout] });
  for (const { path } of turn.edits) {
    const text = before(path);
    if (text === null) continue;
    if (
      /^\W*.*\b(?:managed by|generated by|do not edit).*\b(?:puppet|ansible|chef|salt|cfengine)\b/im.test(
        text,
      )
    )
      risks.push({
        name: 'configuration-management',
        mustAccept: true,
        why: `${path} says that another program writes it: change it there, or it comes back`,
      });
    if (isConffile(path))
      risks.push({
        name: 'edits-conffile',
        mustAccept: false,
        why: `${path} is a package's, and has no directory for additions: its next upgrade asks which one to keep`,
      });
  }
  return risks;
};

/** @param others packages that go along */
export const removalRisks = (others: readonly string[]): Risk[] =>
  others.length === 0
    ? []
    : [
        {
          name: 'removes-others',
          mustAccept: true,
          why: `${others.join(', ')} ${others.length === 1 ? 'needs' : 'need'} it, and ${others.length === 1 ? 'goes' : 'go'} too`,
        },
      ];

const some = (all: readonly string[]): string =>
  all.length <= 3 ? all.join(', ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`;

/** Whether an address is in one of the networks (CIDR notation, or single addresses). */
const isAllowed = (allow: readonly string[], address: string): boolean => {
  const list = new BlockList();
  for (const network of allow) {
    const [base = '', bits] = network.split('/');
    const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(base, family);
    else list.addSubnet(base, Number(bits), family);
  }
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
};
