import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Listener } from '#inspect';
import { mayBeLogin } from './risks.ts';

const named = (more: Partial<Listener>, exe: string | null = null): boolean =>
  mayBeLogin({
    holder: 'process',
    kernelService: null,
    socketUnit: null,
    activates: null,
    processes: [{ exe, unit: null, package: null, script: null }],
    ...more,
  } as Listener);

test('logins, tunnels and what forwards may be how the operator comes in; a database is not', () => {
  for (const exe of [
    '/usr/sbin/sshd',
    '/usr/sbin/dropbear',
    '/usr/sbin/openvpn',
    '/usr/lib/cockpit/cockpit-tls',
  ])
    assert.equal(named({}, exe), true, exe);
  assert.equal(named({ socketUnit: 'cockpit.socket', holder: 'systemd' }), true);
  assert.equal(named({ kernelService: 'wireguard (wg0)', holder: 'kernel' }), true);
  assert.equal(named({ holder: 'forwarder' }, '/usr/sbin/docker-proxy'), true);
  assert.equal(named({}, '/usr/sbin/mariadbd'), false);
});
