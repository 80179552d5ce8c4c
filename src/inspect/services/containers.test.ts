import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { containerFinder, containerOfCgroup } from './containers.ts';

test('a control group tells the container and its manager', () => {
  const id = '0a'.repeat(32);
  const of = (path: string) => containerOfCgroup(`0::${path}\n`);
  assert.deepEqual(of(`/system.slice/docker-${id}.scope`), { manager: 'docker', id, name: null });
  assert.deepEqual(of(`/docker/${id}`), { manager: 'docker', id, name: null });
  for (const path of [
    `machine.slice/libpod-${id}.scope/container`,
    `system.slice/x.service/libpod-payload-${id}`,
  ])
    assert.deepEqual(of(`/${path}`), { manager: 'podman', id, name: null });
  assert.deepEqual(of(`/kubepods.slice/cri-containerd-${id}.scope`), {
    manager: 'containerd',
    id,
    name: null,
  });
  assert.deepEqual(of('/lxc.payload.web/system.slice/x.service')?.name, 'web');
  assert.deepEqual(of('/machine.slice/machine-web\\x2d1.scope/payload'), {
    manager: 'systemd-nspawn',
    id: null,
    name: 'web-1',
  });
  assert.equal(of('/system.slice/ssh.service'), null);
});

test('where the control group tells nothing, the root of the container does', (t) => {
  const proc = mkdtempSync(join(tmpdir(), 'holdfast-containers-'));
  t.after(() => rmSync(proc, { recursive: true }));
  const lay = (path: string, text: string): void => {
    mkdirSync(dirname(join(proc, path)), { recursive: true });
    writeFileSync(join(proc, path), text);
  };
  const nsOf = (pid: string, ids: { pid: number; mnt: number }): void => {
    mkdirSync(join(proc, pid, 'ns'), { recursive: true });
    for (const [kind, id] of Object.entries(ids)) symlinkSync(`${kind}:[${id}]`, join(proc, pid, 'ns', kind));
  };
  nsOf('self', { pid: 1, mnt: 1 });
  for (const pid of ['1', '2', '3', '4', '5']) nsOf(pid, { pid: 2, mnt: 2 });
  nsOf('7', { pid: 1, mnt: 2 });
  nsOf('8', { pid: 1, mnt: 1 });
  lay('1/root/run/host/container-manager', 'systemd-nspawn\n');
  lay('1/root/etc/hostname', 'web1\n');
  lay('2/root/run/host/container-manager', 'systemd-nspawn\n');
  lay('2/root/etc/hostname', 'a name with \u001b\n');
  lay('3/root/run/.containerenv', '');
  lay('4/root/.dockerenv', '');
  lay('7/root/.dockerenv', '');
  lay('8/root/.dockerenv', '');
  lay('5/root/etc/hostname', 'chroot\n');
  const containerOf = containerFinder({ proc, sys: '/sys', root: '' });
  const nspawn = { manager: 'systemd-nspawn', id: null, name: 'web1' };
  assert.deepEqual(containerOf(1), nspawn);
  assert.deepEqual(containerOf(2), { ...nspawn, name: null });
  assert.deepEqual(containerOf(3), { manager: 'podman', id: null, name: null });
  assert.deepEqual(containerOf(4), { manager: 'docker', id: null, name: null });
  assert.equal(containerOf(5), null);
  assert.equal(containerOf(6), null);
  const service = '0::/system.slice/unbound.service\n';
  assert.equal(
    containerOf(7, service),
    null,
    'a chroot that the daemon can write to, with mounts of its own',
  );
  assert.equal(containerOf(8, '0::/init.scope\n'), null, 'a chroot');
  assert.equal(containerOf(7, '0::/user.slice/user-0.slice/session-1.scope\n')?.manager, 'docker');
  assert.equal(containerOf(3, service)?.manager, 'podman', 'podman run --cgroups=disabled in a unit');
});
