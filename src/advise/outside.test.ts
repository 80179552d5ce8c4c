import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '#probe/host';
import { compare, type Arrival, type InsideDoor, type InsideView, type Verdict } from './outside.ts';

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
  ['open, and it listens', 'open', whole(door({})), 'open', /mariadbd listens on all addresses/],
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

for (const [what, state, view, verdict, explanation] of tcp)
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
