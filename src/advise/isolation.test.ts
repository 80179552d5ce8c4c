import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IsolationReport, SharedService } from '#inspect';
import { findIsolation } from './isolation.ts';

const service = (more: Partial<SharedService>): SharedService => ({
  name: 'thing.service',
  unit: 'thing.service',
  pids: [10],
  exe: '/usr/sbin/thing',
  users: ['root'],
  root: true,
  capabilities: ['CAP_NET_ADMIN', 'CAP_SYS_ADMIN'],
  noNewPrivileges: false,
  seccomp: 'off',
  ownNamespaces: [],
  chroot: null,
  listens: [{ protocol: 'tcp', address: '0.0.0.0', port: 4242, scope: 'public' }],
  ...more,
});

const judged = (services: SharedService[], more: Partial<IsolationReport> = {}) =>
  findIsolation({
    machine: {
      kind: 'bare metal',
      hypervisor: null,
      monitor: null,
      type: null,
      typeConfidence: null,
      confidence: 'likely',
      xen: null,
      evidence: [],
    },
    container: { inside: false, kind: null, confidence: 'certain', evidence: [] },
    chroot: false,
    userNamespace: false,
    services,
    servicesSeen: 'all',
    init: 'systemd',
    couldNotLook: [],
    milliseconds: 1,
    ...more,
  });

const ids = (found: ReturnType<typeof judged>) => found.map(({ id }) => id);

test('root that faces the network unconfined, with the unit to edit', () => {
  const [one] = judged([service({})]);
  assert.equal(one?.id, 'isolation/unconfined-root/thing.service');
  assert.equal(one?.severity, 'medium');
  assert.match(one?.options[0]?.action ?? '', /systemctl edit thing\.service: .*NoNewPrivileges=yes/);
});

const unconfined = (more: Partial<SharedService>) =>
  ids(judged([service(more)])).filter((id) => id.includes('unconfined'));

test('what is confined, local or has to be root is left alone', () => {
  assert.deepEqual(unconfined({ seccomp: 'filter' }), []);
  assert.deepEqual(unconfined({ capabilities: ['CAP_NET_BIND_SERVICE'] }), []);
  assert.deepEqual(unconfined({ root: false, users: ['www-data'] }), []);
  assert.deepEqual(
    unconfined({ listens: [{ protocol: 'tcp', address: '127.0.0.1', port: 1, scope: 'local' }] }),
    [],
  );
  assert.deepEqual(unconfined({ name: 'ssh.service', unit: 'ssh.service' }), []);
  assert.deepEqual(unconfined({ name: '/usr/sbin/sshd', unit: null }), []);
  const init = { name: '/usr/lib/systemd/systemd', exe: '/usr/lib/systemd/systemd', unit: null, pids: [1] };
  assert.deepEqual(unconfined(init), []);
  assert.equal(unconfined({}).length, 1);
});

test('two services that face the network share a system; one does not', () => {
  const other = service({ name: 'other.service', unit: 'other.service', root: false, users: ['www-data'] });
  assert.ok(ids(judged([service({}), other])).includes('isolation/shared-system/host'));
  assert.ok(!ids(judged([service({})])).includes('isolation/shared-system/host'));
  const ssh = service({ name: 'ssh.service', unit: 'ssh.service' });
  assert.ok(!ids(judged([service({}), ssh])).includes('isolation/shared-system/host'));
});

test('how many run as root, and nothing on a host without', () => {
  const found = judged([service({}), service({ name: 'b', root: false, users: ['b'] })]);
  assert.equal(found.find(({ id }) => id.includes('root-services'))?.title, '1 of 2 services runs as root');
  assert.deepEqual(judged([]), []);
});

test("a container whose root is the machine's root", () => {
  const container = { inside: true, kind: 'docker', confidence: 'certain', evidence: [] } as const;
  const found = (userNamespace: boolean | null) =>
    ids(judged([], { container: { ...container, evidence: [] }, userNamespace }));
  assert.deepEqual(found(false), ['isolation/container-root/host']);
  assert.deepEqual(found(true), []);
  assert.deepEqual(found(null), []);
});

test('what was not seen is neither reachable nor all there is', () => {
  const found = judged([service({ listens: null })], { servicesSeen: 'some' });
  assert.deepEqual(ids(found), ['isolation/root-services/host']);
  assert.equal(found[0]?.title, '1 of 1 services that could be seen runs as root');
});

test('without systemd no step needs it', () => {
  const other = service({ name: '/usr/sbin/other', unit: null, exe: '/usr/sbin/other' });
  const found = judged([service({ unit: null }), other], { init: 'other' });
  assert.ok(found.length >= 3);
  assert.doesNotMatch(JSON.stringify(found.map(({ options }) => options)), /systemctl|systemd|\bunits?\b/);
});
