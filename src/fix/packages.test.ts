import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FixError } from './errors.ts';
import { checkOnlyThese, installAgain, isSame } from './packages.ts';
import { programs } from './programs.fixture.ts';

const one = { name: 'one', version: '1', architecture: 'all', automatic: false };

const locked = `echo 'E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?' >&2; exit 100`;

test('while another apt is at work, it is not taken for installed', async (t) => {
  programs(t, { 'apt-get': locked, 'dpkg-query': `echo 'one ii '` });
  assert.match(
    (await installAgain('/nowhere', [{ ...one, kept: '0.deb' }])) ?? '',
    /^one 1: .*another apt is at work: E: Unable to acquire/,
  );
});

test('dependencies that are missing are no obstacle: what was removed is what they miss', async (t) => {
  const unmet = `echo 'E: Unmet dependencies. Try apt --fix-broken install' >&2; exit 100`;
  programs(t, { 'apt-get': unmet, 'dpkg-query': `echo 'one ii '` });
  assert.equal(await installAgain('/nowhere', [{ ...one, kept: '0.deb' }]), null);
});

test('where another package needs it by now, apt is not let go', async (t) => {
  programs(t, { 'apt-get': `printf 'Remv one [1]\\nRemv other [1]\\n'` });
  await assert.rejects(
    checkOnlyThese([one]),
    (error) => error instanceof FixError && error.code === 'check-failed',
  );
});

/** Whether they are the same where these scripts print the sums of an archive and of what is installed. */
const areSame = async (t: TestContext, archive: string, installed: string): Promise<boolean> => {
  programs(t, {
    'dpkg-deb': `case $1 in --show) printf 'one 1 all';; --info) ${archive};; esac`,
    'dpkg-query': installed,
  });
  return isSame(one, 'one_1_all.deb');
};

const many = `head -c 1500000 /dev/zero | tr '\\0' a`;

test('an archive with the same sums is the same', async (t) => {
  assert.equal(await areSame(t, `${many}; echo 1`, `${many}; echo 1`), true);
});

test('an archive is another where the last of very many sums differs', async (t) => {
  assert.equal(await areSame(t, `${many}; echo 1`, `${many}; echo 2`), false);
});

test('without sums it is not known to be the same', async (t) => {
  assert.equal(await areSame(t, 'exit 2', 'exit 1'), false);
});
