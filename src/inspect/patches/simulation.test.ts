import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSimulation } from './simulation.ts';

const debian12 = `Reading package lists...
Building dependency tree...
Reading state information...
Calculating upgrade...
The following packages have been kept back:
  linux-image-amd64 nodejs
The following packages will be upgraded:
  base-files libgcrypt20 libpam-modules-bin
3 upgraded, 0 newly installed, 0 to remove and 2 not upgraded.
Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [amd64])
Inst libgcrypt20 [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst libpam-modules-bin [1.5.2-6+deb12u1] (1.5.2-6+deb12u2 Debian:12.15/oldstable [amd64]) [libpam-modules:amd64 on libpam-modules-bin:amd64] [libpam-modules:amd64 ]
Conf libgcrypt20 (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])
`;

test('Debian 12: installs with old and new version and every archive, and what is kept back', () => {
  const simulation = parseSimulation(debian12);
  assert.deepEqual(simulation.keptBack, ['linux-image-amd64', 'nodejs']);
  assert.deepEqual(simulation.installs, [
    { name: 'base-files', from: '12.4+deb12u11', to: '12.4+deb12u15', archives: ['Debian:12.15/oldstable'] },
    {
      name: 'libgcrypt20',
      from: '1.10.1-3',
      to: '1.10.1-3+deb12u1',
      archives: ['Debian:12.15/oldstable', 'Debian-Security:12/oldstable-security'],
    },
    {
      name: 'libpam-modules-bin',
      from: '1.5.2-6+deb12u1',
      to: '1.5.2-6+deb12u2',
      archives: ['Debian:12.15/oldstable'],
    },
  ]);
});

const ubuntu2404 = `Reading package lists...
Calculating upgrade...
The following packages will be REMOVED:
  htop
The following NEW packages will be installed:
  linux-image-6.8.0-63-generic
The following upgrades have been deferred due to phasing:
  bsdextrautils bsdutils eject fdisk libblkid1 libfdisk1 libmount1 libsmartcols1 libuuid1 mount ubuntu-drivers-common util-linux
  uuid-runtime
The following packages will be upgraded:
  docker-buildx-plugin nginx
2 upgraded, 1 newly installed, 1 to remove and 13 not upgraded.
Remv htop [3.3.0-4build1]
Inst docker-buildx-plugin [0.37.0-1~ubuntu.24.04~noble] (0.37.1-1~ubuntu.24.04~noble Docker CE:noble [amd64])
Inst nginx [1.24.0-2ubuntu7.17] (1.24.0-2ubuntu7.18 Ubuntu:24.04/noble-updates, Ubuntu:24.04/noble-security [amd64]) []
Inst linux-image-6.8.0-63-generic (6.8.0-63.66 Ubuntu:24.04/noble-updates, Ubuntu:24.04/noble-security [amd64])
`;

test('Ubuntu 24.04: phased upgrades have a heading of their own; a new package has no old version', () => {
  const simulation = parseSimulation(ubuntu2404);
  assert.equal(simulation.phased.length, 13);
  assert.equal(simulation.phased.at(-1), 'uuid-runtime');
  assert.deepEqual(simulation.keptBack, []);
  assert.deepEqual(simulation.removes, [{ name: 'htop', version: '3.3.0-4build1' }]);
  assert.deepEqual(
    simulation.installs.map(({ name, from }) => [name, from]),
    [
      ['docker-buildx-plugin', '0.37.0-1~ubuntu.24.04~noble'],
      ['nginx', '1.24.0-2ubuntu7.17'],
      ['linux-image-6.8.0-63-generic', null],
    ],
  );
  assert.deepEqual(simulation.installs[0]?.archives, ['Docker CE:noble']);
});

const apt3 = `Upgrading:
  libssl3t64  linux-libc-dev  openssl  openssl-provider-legacy

Not upgrading yet due to phasing:
  gir1.2-packagekitglib-1.0  packagekit                   snapd
  libpackagekit-glib2-18     python3-software-properties

Not upgrading:
  nodejs

Summary:
  Upgrading: 4, Installing: 0, Removing: 0, Not Upgrading: 6
`;

test('apt 3, output version 30: columns under other headings', () => {
  const simulation = parseSimulation(apt3);
  assert.deepEqual(simulation.keptBack, ['nodejs']);
  assert.deepEqual(simulation.phased, [
    'gir1.2-packagekitglib-1.0',
    'packagekit',
    'snapd',
    'libpackagekit-glib2-18',
    'python3-software-properties',
  ]);
});
