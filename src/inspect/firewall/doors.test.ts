import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DoorsReport } from './doors.ts';

const skip =
  spawnSync('unshare', ['--net', '--pid', '--fork', '--mount-proc', 'nft', 'list', 'tables']).status === 0
    ? false
    : 'it takes root, namespaces and nft';

/**
 * A host with one container behind it and a stranger before it, all of it in namespaces that end with the script. The
 * kernel itself says what the stranger reaches.
 */
const host = `
mount -t tmpfs tmpfs /run
ip link set lo up
ip netns add box; ip netns add world
ip link add cable type veth peer name cable netns world
ip link add inside type veth peer name eth0 netns box
ip addr add 192.0.2.1/24 dev cable; ip addr add 172.30.0.1/24 dev inside
ip -n world addr add 192.0.2.7/24 dev cable
ip -n box addr add 172.30.0.2/24 dev eth0
ip link add overlay type vxlan id 7 dstport 4790
ip link set overlay up
for one in cable inside; do ip link set $one up; done
for name in box world; do ip -n $name link set lo up; done
ip -n world link set cable up; ip -n box link set eth0 up
ip -n world route add 172.30.0.0/24 via 192.0.2.1
ip -n box route add default via 172.30.0.1
sysctl -q -w net.ipv4.ip_forward=1
nft -f - <<RULES
table ip nat {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    fib daddr type local tcp dport 8080 dnat to 172.30.0.2:80
    fib daddr type local tcp dport 8081 dnat to 172.30.0.2:81
    tcp dport 8082 redirect to :9000
    ip saddr 192.0.2.128/25 tcp dport 8083 dnat to 172.30.0.2:80
  }
}
table ip filter {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    oifname "inside" ct status dnat tcp dport 80 accept
    ip saddr 198.51.100.0/24 oifname "inside" tcp dport 81 accept
    oifname "inside" tcp dport 82 accept
  }
  chain input { type filter hook input priority filter; policy drop; iifname "lo" accept; tcp dport 9000 accept; ct state established accept; }
}
RULES
listen() { "$NODE" -e 'for (const port of process.argv.slice(1)) require("net").createServer((s) => s.end("x")).listen(+port, "0.0.0.0", () => console.log(port))' "$@"; }
listen 9000 22 > /run/own & own=$!
ip netns exec box "$NODE" -e 'for (const port of [80, 81, 82, 83]) require("net").createServer((s) => s.end("x")).listen(port, "0.0.0.0", () => console.log(port))' > /run/box & box=$!
until [ "$(cat /run/own /run/box | wc -l)" = 6 ]; do sleep 0.02; done
ip netns exec world "$NODE" -e '
  const tries = [["192.0.2.1", 8080], ["192.0.2.1", 8081], ["192.0.2.1", 8082], ["192.0.2.1", 8083], ["192.0.2.1", 9000], ["192.0.2.1", 22], ["172.30.0.2", 80], ["172.30.0.2", 82], ["172.30.0.2", 83]];
  Promise.all(tries.map(([host, port]) => new Promise((done) => {
    const socket = require("net").connect({ host, port });
    const end = (said) => { socket.destroy(); done(said); };
    setTimeout(() => end(false), 3000); socket.on("data", () => end(true)).on("error", () => end(false));
  }))).then((all) => console.log(JSON.stringify(Object.fromEntries(tries.map((one, i) => [one.join(" "), all[i]])))))'
"$NODE" --disable-warning=ExperimentalWarning "$FIXTURE"
kill $own $box
`;

describe('doors of a host with a container', { skip }, () => {
  const { stdout, stderr, status } = skip
    ? { stdout: '', stderr: '', status: 0 }
    : spawnSync(
        'unshare',
        ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-ec', host],
        {
          encoding: 'utf8',
          env: {
            ...process.env,
            NODE: process.execPath,
            FIXTURE: join(import.meta.dirname, 'doors.fixture.ts'),
          },
        },
      );
  const [reached = '{}', report = '{}'] = stdout.trim().split('\n');
  const came: Record<string, boolean> = skip ? {} : JSON.parse(reached);
  const { listeners, couldNotLook }: DoorsReport = skip ? { listeners: [] } : JSON.parse(report);
  const door = (own: boolean, port: number) =>
    listeners.find((one) => one.protocol === 'tcp' && one.netns.own === own && one.port === port);
  const whence = (own: boolean, port: number) => {
    const { from, networks } = door(own, port)?.reachable ?? { from: '?', networks: [] };
    return from === 'networks' ? networks.join() : from;
  };

  it('is looked at whole', () => {
    assert.equal(status, 0, stderr);
    assert.deepEqual(couldNotLook, []);
  });

  it('a port that a rule alone publishes is a door, as open as the way to the container', () => {
    assert.equal(came['192.0.2.1 8080'], true);
    assert.equal(whence(true, 8080), 'anyone');
    const { holder, address, forwardsTo, translatedBy } = door(true, 8080) ?? {};
    assert.deepEqual([holder, address, forwardsTo], ['forwarder', '0.0.0.0', '172.30.0.2:80']);
    assert.match(translatedBy ?? '', /tcp dport 8080 dnat to 172\.30\.0\.2:80/);
    assert.equal(came['192.0.2.1 8081'], false);
    assert.equal(whence(true, 8081), '198.51.100.0/24');
    assert.equal(came['192.0.2.1 8083'], false);
    assert.equal(
      whence(true, 8083),
      '192.0.2.128/25',
      'whom the rule is not for gets to a port that nobody has',
    );
  });

  it('a door in the container is reached by what is published and by what the host passes on', () => {
    assert.equal(whence(false, 80), 'anyone');
    assert.match(door(false, 80)?.reachable?.rule ?? '', /^published on 192\.0\.2\.1:8080/);
    assert.equal(whence(false, 81), '198.51.100.0/24');
    assert.equal(came['172.30.0.2 80'], false);
    assert.equal(came['172.30.0.2 82'], true);
    assert.equal(whence(false, 82), '192.0.2.0/24');
    assert.equal(came['172.30.0.2 83'], false);
    assert.equal(whence(false, 83), 'this host');
  });

  it('a tunnel of the kernel has its own port, which no process holds', () => {
    const tunnel = listeners.find(({ protocol, port }) => protocol === 'udp' && port === 4790);
    assert.deepEqual([tunnel?.holder, tunnel?.kernelService], ['kernel', 'vxlan (overlay)']);
  });

  it('a port that is redirected opens the door behind it', () => {
    assert.deepEqual(
      [came['192.0.2.1 8082'], came['192.0.2.1 9000'], came['192.0.2.1 22']],
      [true, true, false],
    );
    assert.equal(whence(true, 9000), 'anyone');
    assert.equal(whence(true, 22), 'nobody');
  });
});
