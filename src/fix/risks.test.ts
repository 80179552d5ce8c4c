import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '#inspect';
import { lockoutOf, type Lockout } from './risks.ts';

const named = (more: Partial<Listener>, exe: string | null = null, unit: string | null = null): Lockout =>
  lockoutOf([
    {
      holder: 'process',
      kernelService: null,
      socketUnit: null,
      activates: null,
      processes: [{ exe, unit, package: null, script: null }],
      ...more,
    } as Listener,
  ]);

test('logins, tunnels and what forwards may be how the operator comes in; a database is not', () => {
  for (const exe of [
    '/usr/sbin/sshd',
    '/usr/sbin/dropbear',
    '/usr/sbin/openvpn',
    '/usr/lib/cockpit/cockpit-tls',
  ])
    assert.equal(named({}, exe), 'login', exe);
  assert.equal(named({ socketUnit: 'cockpit.socket', holder: 'systemd' }), 'login');
  assert.equal(named({ kernelService: 'wireguard (wg0)', holder: 'kernel' }), 'login');
  assert.equal(named({ holder: 'forwarder' }, '/usr/sbin/docker-proxy'), 'login');
  assert.equal(named({}, '/usr/sbin/mariadbd'), null);
});

test('what keeps the host on the network locks the operator out as well', () => {
  for (const [exe, unit] of [
    ['/usr/sbin/dhclient', 'networking.service'],
    ['/usr/bin/of-a-hook', 'ifup@eth0.service'],
    ['/usr/lib/systemd/systemd-networkd', 'systemd-networkd.service'],
    ['/usr/sbin/NetworkManager', 'NetworkManager.service'],
    ['/usr/bin/of-a-hook', 'networking.service'],
  ] as const)
    assert.equal(named({}, exe, unit), 'network', exe);
});
