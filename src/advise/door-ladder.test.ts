import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doorLadder, type DoorCosts } from './door-ladder.ts';
import { knownServiceNamed } from './known-services.ts';

const unseen: DoorCosts = {
  removal: { package: 'mariadb-server', alsoRemoves: ['cacti'] },
  requiredBy: [],
  localUsers: [],
  remoteUsers: [],
  lanDiallers: [],
  watchedSeconds: 10,
  overUdp: null,
  localBy: '/etc/mysql/mariadb.conf.d/zz-holdfast-local.cnf',
  version: '10.11.19',
  pendingVersion: null,
  user: 'mysql',
  sandbox: '8.8 EXPOSED',
};
const mariadb = knownServiceNamed('MariaDB');

test('there are five steps, each with what it would cost here', () => {
  const { rungs } = doorLadder(mariadb, { ...unseen, localUsers: ['php of cacti-poller.service'] });
  assert.deepEqual(
    rungs.map(({ step }) => step),
    ['do not install', 'do not run', 'local only', 'firewalled', 'public'],
  );
  assert.match(rungs[0]?.cost ?? '', /cacti/);
  assert.match(rungs[1]?.cost ?? '', /cacti-poller\.service would lose it/);
  assert.match(rungs[4]?.cost ?? '', /10\.11\.19, run by mysql; sandbox: 8\.8/);
});

test('what programs of this host alone use is made local', () => {
  const { recommended, confidence } = doorLadder(mariadb, { ...unseen, localUsers: ['php'] });
  assert.deepEqual([recommended, confidence], ['local only', 'low']);
});

test('what other hosts use is narrowed to them', () => {
  const { recommended, rungs } = doorLadder(mariadb, { ...unseen, remoteUsers: ['10.0.0.7'] });
  assert.equal(recommended, 'firewalled');
  assert.match(rungs[3]?.cost ?? '', /let in 10\.0\.0\.7/);
});

test('what nobody was seen to use has the step that the service is known for', () => {
  assert.equal(doorLadder(knownServiceNamed('Avahi'), unseen).recommended, 'do not run');
  assert.equal(doorLadder(mariadb, unseen).recommended, 'local only');
});

test('a day of watching is worth more than ten seconds', () => {
  assert.equal(doorLadder(mariadb, { ...unseen, watchedSeconds: 86_400 }).confidence, 'high');
});

test('a program that dials the address of the network is named where it would break', () => {
  const { rungs } = doorLadder(mariadb, { ...unseen, lanDiallers: ['billing (dials 10.0.0.2)'] });
  assert.match(rungs[2]?.cost ?? '', /billing \(dials 10\.0\.0\.2\) would have to dial 127\.0\.0\.1 first/);
});

test('where senders over UDP were not looked for, nobody seen means little, and it says so', () => {
  const { confidence, reason } = doorLadder(null, {
    ...unseen,
    watchedSeconds: 100_000,
    overUdp: 'senders over UDP were not looked for',
  });
  assert.equal(confidence, 'low');
  assert.match(reason, /not looked for/);
});
