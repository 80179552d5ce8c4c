import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { onPath } from '../../tools/test/suites.ts';
import { root, until } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { startFleet, type Fleet, type Host } from './host.ts';
import { bridge } from './network.ts';
import { runProgram, type Outcome } from './run.ts';
import { withHoldfast } from './with-holdfast.ts';

/** `services probe` against Debian's daemons on a host with a firewall, beside nmap, both from another place of its network. */
const reason = noFleet() ?? (onPath('nmap') ? null : 'nmap is not installed (apt-get install nmap)');
const skip = reason ?? false;
const endings: (() => Promise<void>)[] = [];
let fleet: Fleet;
let host: Host;
let doors: Map<string, Seen>;

const seen = z.looseObject({
  protocol: z.string(),
  port: z.number(),
  state: z.string(),
  service: z.string().nullable(),
  banner: z.string().nullable(),
  verdict: z.string().nullable(),
  explanation: z.string().nullable(),
});
type Seen = z.infer<typeof seen>;

const packages = [
  'redis-server',
  'memcached',
  'snmpd',
  'rsyslog',
  'rpcbind',
  'chrony',
  'unbound',
  'nftables',
] as const;

/** 514 is open and silent, 5140 too, and dropped. */
const syslog = `module(load="imudp")
input(type="imudp" port="514")
input(type="imudp" port="5140")
module(load="imtcp")
input(type="imtcp" port="514")
input(type="imtcp" port="4444")
input(type="imtcp" port="4445")
input(type="imtcp" port="4446")
`;

/** What comes for 8888 is memcached's, without any listener there; for 4446 too, where rsyslog listens. */
const firewall = `flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy accept;
    tcp dport 4444 drop
    tcp dport 4445 reject with tcp reset
    udp dport 5140 drop
  }
}
table ip nat {
  chain prerouting {
    type nat hook prerouting priority -100;
    tcp dport { 4446, 8888 } redirect to :11211
  }
}
`;

const ports =
  'tcp/22,tcp/53,tcp/111,tcp/514,tcp/4444,tcp/4445,tcp/4446,tcp/6379,tcp/8888,tcp/11211,udp/53,udp/69,udp/111,udp/123,udp/161,udp/514,udp/5140,udp/11211';

/** From this machine's own files and processes, on the host's network, as a stranger to it. */
const outside = async (command: readonly string[]): Promise<Outcome> =>
  runProgram(
    fleet.network.enter(command).filter((word) => word !== '--mount' && word !== '--pid'),
    { milliseconds: 300_000 },
  );

const probe = async (...args: readonly string[]): Promise<Outcome> => probeAt(host.address, ...args);

const probeAt = async (address: string, ...args: readonly string[]): Promise<Outcome> =>
  outside([
    join(root, 'bin/holdfast'),
    'services',
    'probe',
    address,
    '--i-operate-this-host',
    '--state=/nonexistent',
    ...args,
  ]);

const through = (): string => host.enter(['sh', '-c']).join(' ');

before(async () => {
  if (skip !== false) return;
  fleet = await startFleet({ after: (end) => void endings.push(end) });
  host = await fleet.startHost(
    withHoldfast({
      name: 'web',
      packages,
      prepare(its) {
        writeFileSync(join(its, 'etc/rsyslog.d/listen.conf'), syslog);
        writeFileSync(join(its, 'etc/nftables.conf'), firewall);
        writeFileSync(join(its, 'etc/memcached.conf'), '-u memcache\n-l 0.0.0.0\n-U 11211\n');
        writeFileSync(join(its, 'etc/snmp/snmpd.conf'), 'agentaddress udp:161\n');
        appendFileSync(join(its, 'etc/chrony/chrony.conf'), '\nallow\nlocal stratum 10\n');
        // It may not set the clock of this machine, and serves all the same.
        writeFileSync(join(its, 'etc/default/chrony'), 'DAEMON_OPTS="-x"\n');
        mkdirSync(join(its, 'etc/systemd/system/chrony.service.d'));
        writeFileSync(
          join(its, 'etc/systemd/system/chrony.service.d/clock.conf'),
          '[Unit]\nConditionCapability=\n',
        );
        // There is no network to fetch the root's key over.
        writeFileSync(join(its, 'etc/unbound/unbound.conf.d/root-auto-trust-anchor-file.conf'), '');
        writeFileSync(
          join(its, 'etc/unbound/unbound.conf.d/listen.conf'),
          'server:\n  interface: 0.0.0.0\n  access-control: 0.0.0.0/0 allow\n',
        );
      },
    }),
  );
  await host.ok([
    'sh',
    '-ec',
    'nft -f /etc/nftables.conf; systemctl start rpcbind.socket; systemctl restart redis-server memcached snmpd rsyslog chrony unbound',
  ]);
  const { status, stdout, stderr } = await probe(
    '--json',
    '--ports',
    ports,
    '--udp-rate',
    '5',
    '--through',
    through(),
  );
  // It is bad: something answers where nobody listens.
  assert.equal(status, 1, `${stdout}${stderr}`);
  const said = z
    .looseObject({ doors: z.array(seen), couldNotLook: z.array(z.unknown()) })
    .parse(JSON.parse(stdout));
  assert.deepEqual(said.couldNotLook, []);
  doors = new Map(said.doors.map((door) => [`${door.protocol}/${door.port}`, door]));
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

const expected: readonly (readonly [string, string, string, RegExp])[] = [
  ['tcp/22', 'refused', 'shut', /nobody listens/],
  ['tcp/53', 'open', 'open', /unbound listens on all IPv4 addresses/],
  ['tcp/111', 'open', 'open', /rpcbind listens on all IPv4 addresses/],
  ['tcp/514', 'open', 'open', /rsyslogd listens/],
  ['tcp/4444', 'filtered', 'firewalled', /rsyslogd listens.*tcp dport 4444 drop/],
  ['tcp/4445', 'refused', 'firewalled', /rsyslogd listens.*tcp dport 4445 reject/],
  ['tcp/4446', 'open', 'undecided', /rsyslogd listens.*nobody reaches \(.*redirect to :11211/],
  ['tcp/6379', 'refused', 'elsewhere', /127\.0\.0\.1 alone/],
  ['tcp/8888', 'open', 'nobody', /a DNAT rule or a proxy answers in the host’s place/],
  ['tcp/11211', 'open', 'open', /memcached listens/],
  ['udp/53', 'open', 'open', /unbound/],
  ['udp/69', 'refused', 'shut', /nobody listens/],
  ['udp/111', 'open', 'open', /listens/],
  ['udp/123', 'open', 'open', /chronyd/],
  ['udp/161', 'open', 'open', /snmpd/],
  [
    'udp/514',
    'silent',
    'open',
    /rsyslogd listens on all IPv4 addresses, and 5 of 5 datagrams passed every filter/,
  ],
  ['udp/5140', 'silent', 'firewalled', /5 of 5 datagrams reached the host, and its filter let none pass/],
  ['udp/11211', 'open', 'open', /memcached/],
];

for (const [name, state, verdict, explanation] of expected)
  test(`${name}: ${state} from outside, ${verdict} by both sides`, { skip }, () => {
    const door = doors.get(name);
    assert.deepEqual([door?.state, door?.verdict], [state, verdict], JSON.stringify(door));
    assert.match(door?.explanation ?? '', explanation);
  });

test('each daemon is known by what it answers', { skip }, () => {
  const said = (name: string): string => `${doors.get(name)?.service}: ${doors.get(name)?.banner}`;
  assert.match(said('tcp/11211'), /^memcached: VERSION 1\./);
  assert.match(said('tcp/53'), /^dns: NOERROR, version unbound/);
  assert.match(said('tcp/111'), /^rpcbind: answers the null procedure/);
  assert.match(said('udp/11211'), /^memcached: VERSION 1\./);
  assert.match(said('udp/53'), /^dns: NOERROR, version unbound/);
  assert.match(said('udp/111'), /^rpcbind: answers the null procedure/);
  assert.match(said('udp/123'), /^ntp: NTPv4, stratum \d+/);
  assert.match(said('udp/161'), /^snmp: SNMPv3/);
});

/** Ports by what nmap calls them. */
const byNmap = async (...args: readonly string[]): Promise<Map<string, string>> => {
  const { stdout, stderr } = await outside(['nmap', '-n', '-Pn', '-oG', '-', ...args, host.address]);
  const found = [...stdout.matchAll(/(\d+)\/([a-z|]+)\/(tcp|udp)\//g)];
  assert.ok(found.length > 0, `${stdout}${stderr}`);
  return new Map(found.map(([, port = '', state = '', protocol = '']) => [`${protocol}/${port}`, state]));
};

const portsOf = (protocol: string): string =>
  [...doors.values()]
    .filter((door) => door.protocol === protocol)
    .map(({ port }) => port)
    .join(',');

test('nmap says the same of every TCP port', { skip }, async () => {
  const names: Record<string, string> = { open: 'open', refused: 'closed', filtered: 'filtered' };
  const nmap = await byNmap('-sS', '-p', portsOf('tcp'));
  for (const [name, { protocol, state }] of doors)
    if (protocol === 'tcp') assert.equal(names[state], nmap.get(name), name);
});

test(
  'nmap cannot decide the silent UDP ports, one open and one not; they are decided here',
  { skip },
  async () => {
    const nmap = await byNmap('-sU', '--max-retries', '1', '-p', '514,5140');
    assert.deepEqual(Object.fromEntries(nmap), { 'udp/514': 'open|filtered', 'udp/5140': 'open|filtered' });
    assert.deepEqual([doors.get('udp/514')?.verdict, doors.get('udp/5140')?.verdict], ['open', 'firewalled']);
  },
);

test('by its link-local address the same daemons are seen, over TCP and UDP', { skip }, async () => {
  const addresses = await host.ok(['ip', '-6', '-o', 'address', 'show', 'scope', 'link']);
  const [, address = ''] = /inet6 (fe80:\S+)\//.exec(addresses) ?? [];
  const six = 'tcp/22,tcp/111,tcp/6379,tcp/11211,udp/69,udp/111,udp/123';
  const { stdout, stderr } = await probeAt(
    `${address}%${bridge}`,
    '--json',
    '--udp-rate=5',
    `--ports=${six}`,
    '--through',
    through(),
  );
  const said = z.looseObject({ doors: z.array(seen) }).parse(JSON.parse(stdout));
  const verdicts = said.doors.map(({ protocol, port, state, verdict }) => [
    `${protocol}/${port}`,
    state,
    verdict,
  ]);
  assert.deepEqual(
    verdicts,
    [
      ['tcp/22', 'refused', 'shut'],
      ['tcp/111', 'open', 'open'],
      ['tcp/6379', 'refused', 'elsewhere'],
      // It is bound to 0.0.0.0.
      ['tcp/11211', 'refused', 'elsewhere'],
      ['udp/69', 'refused', 'shut'],
      ['udp/111', 'open', 'open'],
      ['udp/123', 'open', 'open'],
    ],
    stderr,
  );
});

test('the host is left as it was', { skip }, async () => {
  assert.doesNotMatch(await host.ok(['nft', 'list', 'tables']), /holdfast/);
  assert.equal((await host.run(['pgrep', '-f', 'services probe'])).stdout, '');
});

test(
  'without the host’s help a silent port is silent; what is sent can be counted there by hand',
  { skip },
  async () => {
    const counting = host.run([
      'sh',
      '-c',
      'while [ ! -e /run/probed ]; do sleep 0.1; done | holdfast services probe --listen-for abcdefghijkl --ports udp/514',
    ]);
    await until('it counts', async () =>
      (await host.ok(['nft', 'list', 'tables'])).includes('holdfast_probe_'),
    );
    const { status, stdout } = await probe(
      '--ports',
      'tcp/22,udp/514',
      '--udp-rate=5',
      '--token=abcdefghijkl',
    );
    assert.equal(status, 0);
    assert.match(stdout, /^udp\/514 +silent/m);
    await host.ok(['touch', '/run/probed']);
    assert.match((await counting).stdout, /^udp\/514 +5 +5 +0$/m);
  },
);

test('a host where nothing answers at all is not called shut', { skip }, async () => {
  await host.ok(['nft', 'insert rule inet filter input ip saddr', fleet.network.address, 'drop']);
  const { status, stdout } = await probe('--ports', 'tcp/22', '--timeout', '1');
  assert.equal(status, 3);
  assert.match(stdout, /COULD NOT LOOK/);
  assert.match(stdout, /a host that is off, or not\s+there, looks\s+the same/);
});
