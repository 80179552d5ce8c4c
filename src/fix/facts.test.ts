import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packagedProgram } from './facts.ts';

const program = {
  exe: '/usr/sbin/mariadbd',
  package: 'mariadb-server-core',
  deleted: false,
  container: null,
  pid: 7,
};

test('only what a package brought to this host is run as root', () => {
  assert.equal(packagedProgram([program]), '/usr/sbin/mariadbd');
  for (const other of [
    { exe: '/home/user/mariadbd', package: null },
    { deleted: true },
    { container: { manager: 'docker' as const, id: '1f', name: 'web' } },
    { pid: 1 },
  ])
    assert.equal(packagedProgram([{ ...program, ...other }]), null, JSON.stringify(other));
});
