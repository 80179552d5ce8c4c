import assert from 'node:assert/strict';
import { test } from 'node:test';
import { full, root } from '../harness/up.ts';
import { noFleet } from './able.ts';
import { doorsByHoldfast } from './doors.ts';
import { startHost } from './host.ts';

/** Containers by the managers that Debian has, each with a door of its own, and what forwards to them. */
const skip = noFleet() ?? (full ? false : 'it is tried by npm run test:full');

/** In a host that is a container itself, podman cannot have control groups, and neither it nor docker an overlay. */
const containers = `
for guest in shop pod box guest; do
  mkdir -p /guests/$guest/bin /guests/$guest/etc /guests/$guest/usr
  cp /bin/busybox /guests/$guest/bin/
  echo $guest > /guests/$guest/etc/hostname
done
serve() { echo /bin/busybox nc -ll -p $1 -e cat; }
tar -C /guests/shop -c . | docker import - shop
docker run --detach --name shop --publish 7301:7303 --publish 7302:7304/udp shop $(serve 7303)
mkdir -p /etc/containers
cat > /etc/containers/storage.conf <<end
[storage]
driver = "vfs"
runroot = "/run/pods"
graphroot = "/var/lib/pods"
end
podman --runtime crun --cgroup-manager cgroupfs run --detach --name pod --publish 7401:7402 --cgroups disabled --rootfs /guests/pod $(serve 7402)
mkdir -p /var/lib/lxc/box
cat > /var/lib/lxc/box/config <<end
lxc.uts.name = box
lxc.rootfs.path = dir:/guests/box
lxc.init.cmd = $(serve 7501)
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
end
lxc-start --name box
systemd-run --quiet --unit=nested systemd-nspawn --quiet --machine guest --directory /guests/guest --register no --keep-unit $(serve 7601)
for i in $(seq 600); do
  waiting=0
  for port in 7303 7402 7501 7601; do
    nsenter --net --target "$(pgrep -n -f "nc -ll -p $port ")" ss -Hltn | grep -q ":$port " || waiting=1
  done
  [ $waiting = 1 ] || exit 0
  sleep 0.1
done
exit 1
`;

test('the doors of containers, and what leads to them', { skip }, async (t) => {
  const packages = ['docker.io', 'podman', 'crun', 'lxc', 'systemd-container', 'busybox-static'];
  const host = await startHost(t, {
    packages: [...packages, 'nftables', 'iptables', 'procps'],
    bind: [{ from: root, to: '/opt/holdfast' }],
  });
  await host.ok(['sh', '-ec', containers]);
  const { listeners } = await doorsByHoldfast(host);
  const doors = listeners.filter(({ port }) => port !== null && port > 7000 && port < 8000);
  const seen = doors.map(({ protocol, address, port, netns, processes, forwardsTo, translatedBy }) => {
    const [first] = processes;
    const container = first?.container ?? null;
    return [
      `${protocol} ${address} ${port}`,
      netns.own ? 'of the host' : `of ${netns.container?.manager ?? '?'}`,
      translatedBy === null ? first?.exe?.replace(/^.*\//, '') : 'a rule',
      container === null ? forwardsTo : `${container.manager} ${container.name}`,
    ];
  });
  assert.deepEqual(seen.toSorted(), [
    ['tcp 0.0.0.0 7301', 'of the host', 'docker-proxy', '172.17.0.2:7303'],
    ['tcp 0.0.0.0 7401', 'of the host', 'conmon', '10.88.0.2:7402'],
    ['tcp :: 7301', 'of the host', 'docker-proxy', '172.17.0.2:7303'],
    ['tcp :: 7303', 'of docker', 'busybox', 'docker shop'],
    ['tcp :: 7402', 'of podman', 'busybox', 'podman null'],
    ['tcp :: 7501', 'of lxc', 'busybox', 'lxc box'],
    ['tcp :: 7601', 'of the host', 'busybox', 'systemd-nspawn guest'],
    ['udp 0.0.0.0 7302', 'of the host', 'docker-proxy', '172.17.0.2:7304'],
    ['udp :: 7302', 'of the host', 'docker-proxy', '172.17.0.2:7304'],
  ]);
});
