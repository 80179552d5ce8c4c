import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { containerFinder, containerOfCgroup } from './containers.ts';

test('a control group tells the container and its manager', () => {
  const id = '0a'.repeat(32);
  const of = (path: string) => containerOfCgroup(`0::${path}\n`);
  assert.deepEqual(of(`/system.slice/docker-${id}.scope`), { manager: 'docker', id, name: null });
  assert.deepEqual(of(`/docker/${id}`), { manager: 'docker', id, name: null });
  assert.deepEqual(of(`/machine.slice/libpod-${id}.scope/container`), { manager: 'podman', id, name: null });
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
  lay('1/root/run/host/container-manager', 'systemd-nspawn\n');
  lay('1/root/etc/hostname', 'web1\n');
  lay('2/root/run/host/container-manager', 'systemd-nspawn\n');
  lay('2/root/etc/hostname', 'a name with \u001b\n');
  lay('3/root/run/.containerenv', '');
  lay('4/root/.dockerenv', '');
  lay('5/root/etc/hostname', 'chroot\n');
  const containerOf = containerFinder({ proc, sys: '/sys', root: '' });
  const nspawn = { manager: 'systemd-nspawn', id: null, name: 'web1' };
  assert.deepEqual(containerOf(1), nspawn);
  assert.deepEqual(containerOf(2), { ...nspawn, name: null });
  assert.deepEqual(containerOf(3), { manager: 'podman', id: null, name: null });
  assert.deepEqual(containerOf(4), { manager: 'docker', id: null, name: null });
  assert.equal(containerOf(5), null);
  assert.equal(containerOf(6), null);
});
