import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { micros } from '#base/clock';
import type { AlertRule } from '#wire/alert';
import { lineAt, secondsAfter, serveAlerts, type Alerted } from './testing/alerted.ts';

const start = micros(Date.UTC(2026, 4, 12, 3, 0, 0) * 1000);
const at = (seconds: number, message: string, host = 'web1'): ReturnType<typeof lineAt> =>
  lineAt(secondsAfter(start, seconds), host, message);

const base = { query: '', severity: 'warning', notify: ['admins'] } satisfies Partial<AlertRule>;
const newUser: AlertRule = {
  ...base,
  name: 'new-user',
  watch: { for: 'new', field: 'user', by: ['host'], learn: 0 },
};
const newPattern: AlertRule = {
  ...base,
  name: 'new-pattern',
  query: 'app:sshd',
  watch: { for: 'new', field: 'pattern', by: [], learn: 0 },
};
const slow: AlertRule = {
  ...base,
  name: 'slow',
  watch: { for: 'new', field: 'host', by: [], learn: 100 },
};

const mistaken: AlertRule = {
  ...base,
  name: 'mistaken',
  watch: { for: 'new', field: 'uzer', by: [], learn: 0 },
};

const of = (alerted: Alerted, rule: string): unknown[] =>
  alerted.said.filter((line) => line['rule'] === rule).map((line) => [line['state'], line['of']]);

describe('what was not seen before', () => {
  let alerted: Alerted;
  after(() => alerted.remove());

  test('what the log has already is known, also where the rule is new', async () => {
    alerted = await serveAlerts(
      [newUser, newPattern, slow, mistaken],
      [at(0, 'login user=alice'), at(1, 'closed session 17'), at(2, 'login user=bob', 'web2')],
    );
    await alerted.add([at(3, 'login user=alice'), at(4, 'closed session 18'), at(5, 'no user at all 5')]);
    assert.deepEqual(of(alerted, 'new-user'), []);
    const [pattern] = alerted.said;
    assert.equal(alerted.said.length, 1);
    assert.equal(pattern?.['text'], 'a message of a form not seen before: no user at all <*>; 1 line so far');
    assert.deepEqual(pattern['of'], { app: 'sshd' });
    alerted.said.length = 0;
  });

  test('a new value is told of once, with its line, and together with what it is new with', async () => {
    await alerted.add([at(10, 'login user=mallory'), at(11, 'login user=mallory'), at(12, 'login user=bob')]);
    assert.deepEqual(of(alerted, 'new-user'), [
      ['seen', { host: 'web1', user: 'mallory' }],
      ['seen', { host: 'web1', user: 'bob' }],
    ]);
    assert.equal(
      alerted.said[0]?.['text'],
      'user "mallory" was not seen before with host web1; 2 lines so far',
    );
    const [line] =
      alerted.notifications().findLast(({ rule }) => rule === 'new-user')?.events[0]?.samples ?? [];
    assert.match(line?.message ?? '', /user=mallory/);
    await alerted.add([at(13, 'login user=mallory'), at(14, 'login user=bob')]);
    assert.equal(of(alerted, 'new-user').length, 2);
  });

  test('nothing counts as new before the rule has looked on for as long as it says', async () => {
    await alerted.add([at(50, 'x', 'web3')]);
    assert.deepEqual(of(alerted, 'slow'), []);
    assert.equal((await alerted.alerts().list()).find(({ rule }) => rule === 'slow')?.state, 'learning');
    await alerted.add([at(120, 'x', 'web4'), at(121, 'x', 'web3')]);
    assert.deepEqual(of(alerted, 'slow'), [['seen', { host: 'web4' }]]);
    assert.equal((await alerted.alerts().list()).find(({ rule }) => rule === 'slow')?.state, 'quiet');
  });

  test('a rule for a field that no line has says so', async () => {
    const states = await alerted.alerts().list();
    const [mistake, used] = ['mistaken', 'new-user'].map((name) => states.find(({ rule }) => rule === name));
    assert.equal(mistake?.state, 'learning');
    assert.match(mistake.detail ?? '', /no line with the field uzer yet/);
    assert.deepEqual([used?.state, used?.detail], ['quiet', null]);
  });

  test('of very many at once some are told of by themselves, and the rest together', async () => {
    alerted.said.length = 0;
    await alerted.add(Array.from({ length: 300 }, (_, i) => at(200, `login user=u${i}`, 'web9')));
    const told = alerted.said.filter((line) => line['rule'] === 'new-user');
    assert.equal(told.length, 101);
    assert.equal(told.at(-1)?.['text'], '200 more new values of user at the same moment');
    const mail = alerted.notifications().findLast(({ rule }) => rule === 'new-user');
    assert.equal((mail?.events.length ?? 0) + (mail?.more ?? 0), 101);
  });

  test('however much the log has already is known', async () => {
    const many = (from: number, count: number): ReturnType<typeof at>[] =>
      Array.from({ length: count }, (_, i) => at(300, `login user=many${from + i}`, 'web5'));
    await alerted.served.add(many(0, 25_000));
    await alerted.served.add(many(25_000, 25_001));
    await alerted.served.add(many(50_001, 10));
    const later = { ...newUser, name: 'later' };
    await alerted.restart([later]);
    alerted.said.length = 0;
    await alerted.add([at(301, 'login user=many50005', 'web5'), at(301, 'login user=eve', 'web5')]);
    assert.deepEqual(of(alerted, 'later'), [['seen', { host: 'web5', user: 'eve' }]]);
  });
});
