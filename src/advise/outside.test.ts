import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '#probe/host';
import type { InsideDoor, InsideView } from './inside-door.ts';
import { compare, type Arrival, type Verdict } from './outside.ts';

const address = '192.0.2.7';

const outcome = (changes: Partial<Outcome>): Outcome => ({
  protocol: 'tcp',
  port: 3306,
  state: 'open',
  why: 'connected',
  milliseconds: 1,
  service: null,
  banner: null,
  tls: null,
  ...changes,
});

const door = (changes: Partial<InsideDoor>): InsideDoor => ({
  protocol: 'tcp',
  address: '0.0.0.0',
  port: 3306,
  v6only: null,
  holder: 'process',
  scope: 'public',
  forwardsTo: null,
  translatedBy: null,
  own: true,
  processes: [{ exe: '/usr/sbin/mariadbd', unit: 'mariadb.service' }],
  reachable: { from: 'anyone', rule: 'no rule' },
  ...changes,
});

const whole = (...doors: InsideDoor[]): InsideView => ({ doors, extent: 'whole' });
const partial = (...doors: InsideDoor[]): InsideView => ({ doors, extent: 'partial' });
const local = door({ address: '127.0.0.1', scope: 'local' });
const dropped = door({ reachable: { from: 'nobody', rule: 'tcp dport 3306 drop' } });
const arrived = (reached: number, passed: number, forwarded = 0): Arrival => ({
  sent: 5,
  counted: { reached, passed, forwarded },
  logged: null,
});

const tcp: readonly (readonly [string, Outcome['state'], InsideView, Verdict, RegExp])[] = [
  ['open, and it listens', 'open', whole(door({})), 'open', /mariadbd listens on all IPv4 addresses/],
  [
    'open by a dual-stack wildcard',
    'open',
    whole(door({ address: '::', v6only: false })),
    'open',
    /mariadbd/,
  ],
  [
    'open, and IPv6 alone listens',
    'open',
    whole(door({ address: '::', v6only: true })),
    'forwarded',
    /hands it on/,
  ],
  ['open, and only loopback listens', 'open', whole(local), 'forwarded', /127\.0\.0\.1 alone.*DNAT/],
  ['open, and nobody listens', 'open', whole(), 'nobody', /DNAT rule or a proxy/],
  ['open, and not all could be seen', 'open', partial(), 'undecided', /could not see all of itself/],
  [
    'open by a rule',
    'open',
    whole(door({ translatedBy: 'dnat to 172.17.0.2', forwardsTo: '172.17.0.2:80', holder: 'forwarder' })),
    'forwarded',
    /no socket of the host’s own: dnat.*172\.17\.0\.2:80/,
  ],
  ['refused, and loopback listens', 'refused', whole(local), 'elsewhere', /127\.0\.0\.1 alone/],
  [
    'refused, and a container listens',
    'refused',
    whole(door({ own: false })),
    'elsewhere',
    /another network namespace/,
  ],
  ['refused, and nobody listens', 'refused', whole(), 'shut', /nobody listens/],
  ['dropped by a rule', 'filtered', whole(dropped), 'firewalled', /drops it: tcp dport 3306 drop/],
  ['rejected by a rule', 'refused', whole(dropped), 'firewalled', /rejects it: tcp dport 3306 drop/],
  ['refused, and nothing known stands in the way', 'refused', whole(door({})), 'gone', /and yet it refuses/],
];

const rule = 'tcp dport 3306 dnat to 172.17.0.2:3306';
const translated = door({ translatedBy: rule, forwardsTo: '172.17.0.2:3306', processes: [] });
/** A server and a rule have the port: of what comes the rule takes all, what a filter would not let to the server, or some. */
const allTaken = whole(door({ reachable: { from: 'nobody', rule } }), translated);
const serverShut = whole(dropped, translated);
const someTaken = whole(door({}), translated);

const shared: typeof tcp = [
  [
    'open, and the rule takes all',
    'open',
    allTaken,
    'forwarded',
    /not by mariadbd, which .*: tcp dport 3306 dnat/,
  ],
  [
    'open, and the server is shut',
    'open',
    serverShut,
    'forwarded',
    /not by mariadbd, which .* to 172\.17\.0\.2/,
  ],
  [
    'open, and the rule takes some',
    'open',
    someTaken,
    'undecided',
    /cannot be told which of the two answered/,
  ],
  [
    'open, and its rules let nobody in',
    'open',
    whole(dropped),
    'undecided',
    /nobody reaches \(tcp dport 3306/,
  ],
  ['refused where the rule leads', 'refused', allTaken, 'gone', /a rule hands it on.*there it is refused/],
  ['filtered where the rule leads', 'filtered', allTaken, 'undecided', /nobody is there, or a filter/],
  ['filtered at one of the two', 'filtered', serverShut, 'undecided', /which of the two did not answer/],
  ['refused where a rule alone leads', 'refused', whole(translated), 'gone', /a rule hands it on/],
  [
    'filtered though the host lets all in',
    'filtered',
    whole(door({})),
    'firewalled',
    /none that the host names/,
  ],
];

for (const [what, state, view, verdict, explanation] of [...tcp, ...shared])
  test(`TCP ${what}: ${verdict}`, () => {
    const compared = compare(outcome({ state }), address, view, null);
    assert.equal(compared.verdict, verdict);
    assert.match(compared.explanation, explanation);
  });

const syslog = door({ protocol: 'udp', port: 514, processes: [{ exe: '/usr/sbin/rsyslogd', unit: null }] });

const udp: readonly (readonly [string, InsideView, Arrival | null, Verdict, RegExp])[] = [
  ['it listens, and nothing was counted', whole(syslog), null, 'undecided', /only the host can tell/],
  ['it listens, and datagrams pass', whole(syslog), arrived(5, 4), 'open', /4 of 5 datagrams passed/],
  ['it listens, and its filter drops them', whole(syslog), arrived(5, 0), 'firewalled', /let none pass/],
  ['it listens, and none arrives', whole(syslog), arrived(0, 0), 'firewalled', /dropped on the way/],
  ['the token is in the log', partial(), { sent: 5, counted: null, logged: '12:4' }, 'open', /at 12:4/],
  ['nobody listens, and datagrams pass', whole(), arrived(5, 5), 'shut', /nobody listens/],
  ['nobody is named, and datagrams pass', partial(), arrived(5, 5), 'undecided', /could not see all/],
  [
    'only loopback listens',
    whole({ ...syslog, address: '127.0.0.1' }),
    null,
    'elsewhere',
    /127\.0\.0\.1 alone/,
  ],
  ['nobody listens', whole(), null, 'shut', /a filter drops/],
  ['nobody is named', partial(), null, 'undecided', /could not see all/],
];

for (const [what, view, arrival, verdict, explanation] of udp)
  test(`silent UDP, ${what}: ${verdict}`, () => {
    const compared = compare(
      outcome({ protocol: 'udp', port: 514, state: 'silent' }),
      address,
      view,
      arrival,
    );
    assert.equal(compared.verdict, verdict);
    assert.match(compared.explanation, explanation);
  });

const six: readonly (readonly [string, Partial<InsideDoor>, Verdict, RegExp])[] = [
  ['2001:db8::7', { address: '2001:db8::7' }, 'open', /2001:db8::7$/],
  ['2001:db8::7', { address: '::', v6only: true }, 'open', /all IPv6 addresses/],
  ['fe80::7%eth0', { address: 'fe80::7' }, 'open', /listens on fe80::7/],
  ['fe80::7%eth0', { address: 'fe80::7%ens3' }, 'open', /listens on fe80::7/],
  ['fe80::7%eth0', { address: 'fe80::8' }, 'forwarded', /fe80::8 alone/],
  ['2001:db8::7', { address: '0.0.0.0' }, 'forwarded', /all IPv4 addresses alone/],
];

for (const [probed, changes, verdict, explanation] of six)
  test(`open at ${probed}, and ${changes.address} listens: ${verdict}`, () => {
    const compared = compare(outcome({}), probed, whole(door(changes)), null);
    assert.equal(compared.verdict, verdict);
    assert.match(compared.explanation, explanation);
  });
