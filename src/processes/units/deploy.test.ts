import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stateDirectory } from '#base/state';
import { accounts, groups, type AccountName } from '../up/accounts.ts';
import { layoutOf } from '../up/layout.ts';

/** What deploy/ says of users, directories and processes is the same as what `holdfast up` does. */
const deploy = join(import.meta.dirname, '..', '..', '..', 'deploy');
const linesOf = (file: string): string[][] =>
  readFileSync(join(deploy, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/\s+/));

const groupNames = new Map<number, string>([
  [0, 'root'],
  [groups.vaultReaders, 'holdfast-vault-readers'],
  [groups.segmentReaders, 'holdfast-segment-readers'],
  [groups.searchers, 'holdfast-searchers'],
  [groups.witnessing, 'holdfast-witnessing'],
  [groups.enrolling, 'holdfast-enrolling'],
  [groups.ownSenders, 'holdfast-own-senders'],
]);
const names = (Object.keys(accounts) as AccountName[]).filter(
  // These are started by themselves.
  (name) => name !== 'witness' && name !== 'prober',
);
const userNames = new Map<number, string>([
  [0, 'root'],
  ...names.map((name): [number, string] => [accounts[name].uid, `holdfast-${name}`]),
]);
const groupName = (gid: number): string => groupNames.get(gid) ?? userNames.get(gid) ?? String(gid);

test('tmpfiles.d gives each part of the state directory the owner and mode that `up` gives it', () => {
  const state = stateDirectory('/var/lib/holdfast');
  const wanted = layoutOf(state).map(
    ({ path, uid, gid, mode }) =>
      `${path} ${mode.toString(8).padStart(4, '0')} ${userNames.get(uid)} ${groupName(gid)}`,
  );
  const given = linesOf('tmpfiles.d/holdfast.conf')
    .filter(([type, path = '']) => type !== 'L+' && path.startsWith(state.root))
    .map(([, ...rest]) => rest.join(' '));
  assert.deepEqual(given.toSorted(), wanted.toSorted());
});

test('sysusers.d makes every user and group, and deploy/numbers knows those that `up` has used', () => {
  const made = linesOf('sysusers.d/holdfast.conf').map(([type, name]) => `${type} ${name}`);
  const wanted = [
    ...names.map((name) => `u holdfast-${name}`),
    ...[...groupNames.values()].filter((name) => name !== 'root').map((name) => `g ${name}`),
  ];
  assert.deepEqual(made.toSorted(), wanted.toSorted());
  const numbers = linesOf('numbers').map((words) => words.join(' '));
  for (const name of names) {
    assert.ok(numbers.includes(`u ${accounts[name].uid} holdfast-${name}`), name);
    assert.ok(numbers.includes(`g ${accounts[name].gid} ${groupName(accounts[name].gid)}`), name);
  }
});

test('every process has a unit with its user, its groups and nothing of a capability', () => {
  const units = readdirSync(join(deploy, 'systemd'));
  for (const name of names) {
    assert.ok(units.includes(`holdfast-${name}.service`), name);
    const unit = new Map(
      readFileSync(join(deploy, 'systemd', `holdfast-${name}.service`), 'utf8')
        .split('\n')
        .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
    );
    assert.equal(unit.get('User'), `holdfast-${name}`);
    assert.equal(unit.get('Group'), groupName(accounts[name].gid));
    const logs = name === 'agent' ? ['adm', 'systemd-journal'] : [];
    assert.deepEqual(
      (unit.get('SupplementaryGroups') ?? '').split(' ').filter(Boolean).toSorted(),
      [...accounts[name].groups.map(groupName), ...logs].toSorted(),
      name,
    );
    assert.equal(unit.get('CapabilityBoundingSet'), '', name);
  }
});
