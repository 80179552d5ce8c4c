import assert from 'node:assert/strict';
import { test } from 'node:test';
import { full, root } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { doorsByHoldfast, doorsByLsof, doorsBySs, doorsBySystemd, socketsOf } from './doors.ts';
import { startHost, type Host } from './host.ts';

/**
 * On whole hosts with the daemons that people run, the doors are those that ss, lsof, nft and systemctl list together:
 * none more, none less.
 */
const noHosts = noFleet();
const bind = [{ from: root, to: '/opt/holdfast' }];
const tools = ['lsof', 'nftables', 'iptables'];

/**
 * `holders`: packages whose programs must have a door. In a container chrony may not set the clock and so does not start,
 * nfsd has no kernel to be served by, and unbound does not come up.
 */
type Daemons = { packages: readonly string[]; holders: readonly string[]; long: boolean };
const hosts: readonly Daemons[] = [
  {
    long: false,
    packages: ['openssh-server', 'nginx-light', 'memcached', 'rpcbind', 'avahi-daemon'],
    holders: ['openssh-server', 'nginx', 'memcached', 'rpcbind', 'avahi-daemon'],
  },
  {
    long: true,
    holders: [
      'mariadb-server-core',
      'postgresql-15',
      'redis-tools',
      'openssh-server',
      'postfix',
      'bind9',
      'nfs-common',
      'snmpd',
      'nginx',
      'memcached',
    ],
    packages: [
      'mariadb-server',
      'postgresql',
      'redis-server',
      'openssh-server',
      'postfix',
      'bind9',
      'nfs-kernel-server',
      'snmpd',
      'chrony',
      'nginx-light',
      'memcached',
    ],
  },
  {
    long: true,
    holders: [
      'erlang-base',
      'apache2-bin',
      'exim4-daemon-light',
      'dovecot-core',
      'cups-daemon',
      'avahi-daemon',
      'samba',
      'rsyslog',
      'vsftpd',
      'prometheus-node-exporter',
    ],
    packages: [
      'rabbitmq-server',
      'apache2',
      'exim4-daemon-light',
      'dovecot-imapd',
      'unbound',
      'cups',
      'avahi-daemon',
      'samba',
      'rsyslog',
      'vsftpd',
      'prometheus-node-exporter',
    ],
  },
  {
    long: true,
    holders: [
      'openjdk-17-jre-headless',
      'syslog-ng-core',
      'php8.2-fpm',
      'redis-tools',
      'openssh-server',
      'dnsmasq-base',
    ],
    packages: [
      'tomcat10',
      'syslog-ng-core',
      'xinetd',
      'php-fpm',
      'redis-server',
      'openssh-server',
      'dnsmasq',
    ],
  },
];

/** A namespace with a name and a daemon in it, and a port that nothing but a rule opens. */
const furnish = `
ip netns add box
ip link add inside type veth peer name eth0 netns box
ip address add 172.30.0.1/24 dev inside; ip link set inside up
ip -n box address add 172.30.0.2/24 dev eth0; ip -n box link set eth0 up; ip -n box link set lo up
sysctl -q -w net.ipv4.ip_forward=1
nft add table ip published
nft 'add chain ip published prerouting { type nat hook prerouting priority dstnat; }'
nft add rule ip published prerouting tcp dport 8099 dnat to 172.30.0.2:7001
systemd-run --quiet --unit=boxed --property=NetworkNamespacePath=/run/netns/box perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "0.0.0.0", LocalPort => 7001) or die; sleep 1000'
for i in $(seq 100); do ip netns exec box ss -Hltn | grep -q 7001 && break; sleep 0.05; done
`;

/** What the other tools say, and what Holdfast does, at a moment when nothing changes. */
const sideBySide = async (host: Host) => {
  for (let attempt = 1; ; attempt += 1) {
    const look = async () => ({
      own: [...(await doorsBySs(host, [])), ...(await doorsByLsof(host))].toSorted(),
      box: (await doorsBySs(host, ['ip', 'netns', 'exec', 'box'])).toSorted(),
    });
    const before = await look();
    const systemd = await doorsBySystemd(host);
    const report = await doorsByHoldfast(host);
    const after = await look();
    if (attempt >= 15 || JSON.stringify(before) === JSON.stringify(after))
      return { ...before, systemd, report };
  }
};

for (const { packages, holders, long } of hosts) {
  const skip = noHosts ?? (long && !full ? 'it is tried by npm run test:full' : false);
  test(`the doors of a host with ${packages.join(', ')}`, { skip }, async (t) => {
    const host = await startHost(t, { packages: [...packages, ...tools], bind });
    await host.ok(['sh', '-ec', furnish]);
    const { own, box, systemd, report } = await sideBySide(host);
    const ours = socketsOf(report, null);
    assert.deepEqual([...ours].toSorted(), [...new Set(own)].toSorted());
    assert.deepEqual([...socketsOf(report, 'box')].toSorted(), [...new Set(box)].toSorted());
    const withoutProtocol = new Set(
      [...ours].map((door) => (door.startsWith('unix') ? door : door.replace(/^\w+/, '?'))),
    );
    assert.deepEqual(
      systemd.filter((door) => !withoutProtocol.has(door)),
      [],
    );

    const published = report.listeners.filter(({ translatedBy }) => translatedBy !== null);
    assert.deepEqual(
      published.map(({ port, forwardsTo, reachable }) => [port, forwardsTo, reachable?.from]),
      [[8099, '172.30.0.2:7001', 'anyone']],
    );
    const network = report.listeners.filter(
      ({ protocol, netns }) =>
        (protocol === 'tcp' || protocol === 'udp') && (netns.own || netns.name === 'box'),
    );
    assert.deepEqual(
      network
        .filter(
          ({ reachable, translatedBy, processes }) =>
            reachable === null || (translatedBy === null && processes.length === 0),
        )
        .map(({ protocol, port, whyUnseen }) => `${protocol} ${port}: ${whyUnseen}`),
      [],
    );
    const activated = report.listeners.filter(
      ({ holder, address }) => holder === 'systemd' && !address.startsWith('/run/systemd/'),
    );
    assert.deepEqual(
      activated
        .filter(({ socketUnit }) => socketUnit === null)
        .map(({ address, port }) => `${address} ${port ?? ''}`),
      [],
    );
    const holding = new Set(report.listeners.flatMap(({ processes }) => processes.map((one) => one.package)));
    assert.deepEqual(
      holders.filter((name) => !holding.has(name)),
      [],
      `packages with a door: ${[...holding].join(', ')}`,
    );
    t.diagnostic(`${ours.size} doors, ${network.length} for the network, of ${holding.size} packages`);
  });
}
