import type { CouldNotLook } from '#base/looked';
import { printable } from '#base/printable';
import { renderGaps, table, wrap, type Io } from '#cli';
import { nameOfDoor, type Door, type Outcome, type Rates, type Vantage, type Vantages } from '#probe/host';

/** What is looked at, and from where. */
export const vantageLines = (io: Io, { vantages, others }: Vantages): string =>
  [
    ...vantages.map((vantage) =>
      vantage.itself
        ? `${nameOf(vantage)} is this machine itself, seen over lo: no firewall stands between. Probe it from another host.`
        : `${nameOf(vantage)}, seen from ${vantage.from}.`,
    ),
    ...(others.length === 0 ? [] : [`More addresses of it, which are not probed: ${others.join(', ')}.`]),
  ]
    .map((line) => wrap(line, io.width, '', ''))
    .join('');

/** `web1 (192.0.2.7)` */
export const nameOf = ({ host, address }: Vantage): string =>
  host === address ? address : `${printable(host)} (${address})`;

/** How fast, and how long it takes at the longest, roughly. */
export const paceLine = (io: Io, doors: readonly Door[], { tcp, udp }: Rates, addresses: number): string => {
  const count = (protocol: Door['protocol']): number =>
    doors.filter((door) => door.protocol === protocol).length;
  const seconds = Math.max(count('tcp') / tcp, (3 * count('udp')) / udp) + 5;
  const parts = [
    ...(count('tcp') > 0 ? [`${many(tcp, 'TCP connection')} a second to ${many(count('tcp'), 'port')}`] : []),
    ...(count('udp') > 0 ? [`${many(udp, 'UDP question')} a second to ${many(count('udp'), 'port')}`] : []),
  ];
  const long = `up to ${Math.ceil(seconds)} s${addresses === 1 ? '' : ` for each of ${addresses} addresses, one after the other`}`;
  return wrap(`At most ${parts.join(', ')}; ${long}.`, io.width, '', '');
};

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What is open or undecided as a table, what is shut as lists; what could not be seen by itself. */
export const renderSeen = (
  io: Io,
  outcomes: readonly Outcome[],
  couldNotLook: readonly CouldNotLook[],
): string => {
  const telling = outcomes.filter(({ state }) => state === 'open' || state === 'silent');
  const rows = telling.map((one) => [nameOfDoor(one), one.state, timeOf(one), saysOf(one)]);
  const shut = outcomes.filter((one) => !telling.includes(one));
  const groups = Map.groupBy(shut, ({ state, why }) => `${state} (${why})`);
  return [
    rows.length === 0 ? 'Nothing is open.\n' : table(io, ['DOOR', 'OUTSIDE', 'AFTER', 'WHAT IT SAYS'], rows),
    ...[...groups].map(([title, doors]) => `\n${doorList(io, title, doors)}`),
    renderGaps(io, couldNotLook),
  ].join('');
};

/** `refused (…): tcp/21, tcp/23`, folded. */
export const doorList = (io: Io, title: string, doors: readonly Door[]): string =>
  wrap(`${printable(title)}: ${doors.map(nameOfDoor).join(', ')}`, io.width, '  ', '');

export const timeOf = ({ milliseconds }: Outcome): string =>
  milliseconds === null
    ? '-'
    : `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;

/** Protocol and banner, or the certificate; else how the door behaved. */
export const saysOf = ({ service, banner, tls, why }: Outcome): string => {
  if (tls !== null) {
    const names = tls.names.length > 0 ? tls.names : [tls.subject ?? 'no name'];
    const shownNames = names.length > 3 ? [...names.slice(0, 3), '…'] : names;
    return `tls: ${tls.versions.join(' ')}; ${shownNames.join(', ')}, until ${tls.expires?.slice(0, 10) ?? '?'}`;
  }
  const said = [service, banner].filter((part) => part !== null && part !== '');
  return said.length === 0 ? why : said.join(': ');
};
