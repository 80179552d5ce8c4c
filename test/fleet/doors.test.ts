import assert from 'node:assert/strict';
import { test } from 'node:test';
import { full, root } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { doorsByHoldfast, doorsByLsof, doorsBySs, doorsBySystemd, socketsOf } from './doors.ts';
import { startHost, type Host } from './host.ts';
import { knowsSuite, type Suite } from './tree.ts';

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

const suites: readonly Suite[] = full && knowsSuite('trixie') ? ['bookworm', 'trixie'] : ['bookworm'];

/** What Debian 12 calls otherwise. */
const ofTrixie: Readonly<Record<string, string>> = {
  'postgresql-15': 'postgresql-17',
  'php8.2-fpm': 'php8.4-fpm',
  'openjdk-17-jre-headless': 'openjdk-21-jre-headless',
};

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
for i in $(seq 1200); do ip netns exec box ss -Hltn | grep -q 7001 && break; sleep 0.05; done
# Debian 13 leaves it disabled.
! systemctl cat syslog-ng >/dev/null 2>&1 || systemctl start syslog-ng
`;

/** Doors that lead elsewhere, on a host with openssh-server: of systemd, of SSH both ways, and of the kernel. */
const forwarding = `
cat > /run/systemd/system/front.socket <<end
[Socket]
ListenStream=0.0.0.0:7101
end
cat > /run/systemd/system/front.service <<end
[Service]
ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:22
end
systemctl daemon-reload
systemctl start front.socket
mkdir -p /root/.ssh /home/carol/.ssh
useradd --home-dir /home/carol carol
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
for home in /root /home/carol; do cp /root/.ssh/id_ed25519.pub $home/.ssh/authorized_keys; done
chown -R carol /home/carol; chmod 700 /root/.ssh /home/carol/.ssh
echo 'GatewayPorts clientspecified' >> /etc/ssh/sshd_config
systemctl restart ssh
dial='systemd-run --quiet --unit'
options='-N -o StrictHostKeyChecking=no -o ExitOnForwardFailure=yes'
$dial back-carol ssh $options -R 0.0.0.0:7201:127.0.0.1:22 carol@127.0.0.1
$dial back-root ssh $options -R 0.0.0.0:7202:127.0.0.1:22 root@127.0.0.1
$dial there ssh $options -L 0.0.0.0:7203:127.0.0.1:22 carol@127.0.0.1
ip link add vx0 type vxlan id 4 dstport 4790 local 127.0.0.1
ip link set vx0 up
for i in $(seq 600); do [ "$(ss -Hltn | grep -c ':720[123] ')" = 3 ] && exit 0; sleep 0.1; done
journalctl -u 'back-*' -u there >&2; exit 1
`;

const forwarded = [
  [7101, 'systemd', '127.0.0.1:22'],
  [7201, 'forwarder', 'the ssh client of carol'],
  [7202, 'forwarder', 'the ssh client of root'],
  [7203, 'forwarder', 'carol@127.0.0.1'],
  [4790, 'kernel', 'vxlan (vx0)'],
];

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

for (const [suite, { packages, holders, long }] of suites.flatMap((one) =>
  hosts.map((host) => [one, host] as const),
)) {
  const skip = noHosts ?? (long && !full ? 'it is tried by npm run test:full' : false);
  test(`the doors of a host (${suite}) with ${packages.join(', ')}`, { skip }, async (t) => {
    const host = await startHost(t, { suite, packages: [...packages, ...tools], bind });
    await host.ok(['sh', '-ec', furnish]);
    const forwards = packages.includes('openssh-server');
    if (forwards) await host.ok(['sh', '-ec', forwarding]);
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
    assert.deepEqual(
      report.listeners
        .filter(({ port }) => forwarded.some(([one]) => one === port))
        .map(({ port, holder, forwardsTo, kernelService }) => [port, holder, forwardsTo ?? kernelService]),
      forwards ? forwarded : [],
    );
    const network = report.listeners.filter(
      ({ protocol, netns }) =>
        (protocol === 'tcp' || protocol === 'udp') && (netns.own || netns.name === 'box'),
    );
    assert.deepEqual(
      network
        .filter(
          ({ reachable, translatedBy, processes, holder }) =>
            reachable === null || (translatedBy === null && holder !== 'kernel' && processes.length === 0),
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
      holders
        .map((name) => (suite === 'trixie' ? (ofTrixie[name] ?? name) : name))
        .filter((name) => !holding.has(name)),
      [],
      `packages with a door: ${[...holding].join(', ')}`,
    );
    t.diagnostic(`${ours.size} doors, ${network.length} for the network, of ${holding.size} packages`);
  });
}
