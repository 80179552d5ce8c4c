import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { micros } from '#base/clock';
import type { AlertRule } from '#wire/alert';
import { select } from './look.ts';
import { lineAt, secondsAfter, serveAlerts, type Alerted } from './testing/alerted.ts';

const rule: AlertRule = {
  name: 'failed-logins',
  query: 'app:sshd "failed password"',
  watch: { for: 'count', lines: 3, within: 60, by: ['host'] },
  severity: 'error',
  notify: ['admins'],
};

const start = micros(Date.UTC(2026, 4, 12, 3, 0, 0) * 1000);
const failed = (at: number, host: string, received = at): ReturnType<typeof lineAt> => ({
  ...lineAt(secondsAfter(start, at), host, `Failed password for root from 10.0.0.${received}`),
  received: secondsAfter(start, received),
});
const quiet = (at: number): ReturnType<typeof lineAt> =>
  lineAt(secondsAfter(start, at), 'web1', 'session opened');

/** State, key and number of lines of what was said since the last time. */
const news = (alerted: Alerted): unknown[] =>
  alerted.said.splice(0).map(({ state, of, lines, severity }) => [state, of, lines, severity]);

describe('so many lines within a window', () => {
  let alerted: Alerted;
  before(async () => {
    alerted = await serveAlerts([rule], [failed(-10, 'web1'), failed(-9, 'web1'), failed(-8, 'web1')]);
  });
  after(() => alerted.remove());

  test('what was there before the rule does not fire', () => assert.deepEqual(news(alerted), []));

  test('what is not enough does not fire, nor what is enough in another window, or of others', async () => {
    await alerted.add([failed(100, 'web1'), failed(101, 'web1'), failed(102, 'web2'), quiet(102)]);
    await alerted.add([failed(161, 'web1')]);
    assert.deepEqual(news(alerted), []);
    assert.equal((await alerted.alerts().list())[0]?.state, 'quiet');
  });

  test('a line that comes late counts in the window that it belongs to, once', async () => {
    await alerted.add([failed(103, 'web1', 170), quiet(170)]);
    assert.deepEqual(news(alerted), [['firing', { host: 'web1' }, 3, 'error']]);
    const [first] = alerted.notifications();
    assert.equal(first?.rule, 'failed-logins');
    assert.deepEqual(first?.notify, ['admins']);
    assert.equal(first.events[0]?.text, '3 lines within 60 s');
    assert.deepEqual(
      first.events[0].samples.map(({ message }) => message),
      ['170', '101', '100'].map((last) => `Failed password for root from 10.0.0.${last}`),
    );
    assert.match(
      first.look ?? '',
      /^holdfast logs search 'app:sshd "failed password" host:"web1" since:2026-/,
    );
  });

  test('while it fires it is not told of again, and other hosts are', async () => {
    await alerted.add([failed(180, 'web1'), failed(181, 'web1'), failed(182, 'web1')]);
    await alerted.add([failed(183, 'web2'), failed(184, 'web2'), failed(185, 'web2')]);
    assert.deepEqual(news(alerted), [['firing', { host: 'web2' }, 3, 'error']]);
    const [state] = await alerted.alerts().list();
    assert.deepEqual([state?.state, state?.count], ['firing', 2]);
  });

  test('it recovers once the window has passed by what was received, and names all that came', async () => {
    await alerted.add([quiet(241)]);
    assert.deepEqual(news(alerted), []);
    await alerted.add([quiet(244)]);
    assert.deepEqual(news(alerted), [['recovered', { host: 'web1' }, 6, 'notice']]);
    await alerted.add([quiet(300)]);
    assert.deepEqual(news(alerted), [['recovered', { host: 'web2' }, 3, 'notice']]);
    const episodes = alerted.notifications().flatMap(({ events }) => events.map(({ episode }) => episode));
    assert.equal(new Set(episodes).size, 2, 'a recovery has the name of what it ends');
  });

  test('what came while nobody looked is looked at afterwards, once', async () => {
    await alerted.alerts().stop();
    await alerted.served.add([failed(400, 'web3'), failed(401, 'web3')]);
    await alerted.served.add([failed(402, 'web3'), failed(402, 'web3')]);
    await alerted.restart();
    assert.deepEqual(news(alerted), [['firing', { host: 'web3' }, 4, 'error']]);
    await alerted.restart();
    assert.deepEqual(news(alerted), []);
  });

  test('an index that is made again does not fire again', async () => {
    await alerted.served.index.rebuild();
    await alerted.add([quiet(410)]);
    assert.deepEqual(news(alerted), []);
  });

  test('a rule that asks for something else begins anew', async () => {
    const wanted = { ...rule, query: 'app:sshd session' };
    await alerted.restart([wanted]);
    assert.deepEqual(news(alerted), []);
    assert.equal((await alerted.alerts().list())[0]?.state, 'quiet');
  });

  test('an expression that the engine cannot read breaks its rule alone, and says so', async () => {
    await alerted.restart([{ ...rule, name: 'broken', query: '/(/' }, rule]);
    const [broken, other] = await alerted.alerts().list();
    assert.deepEqual([broken?.state, other?.state], ['broken', 'quiet']);
    assert.match(broken?.detail ?? '', /cannot be read/);
  });

  test('fields have the names of the query language, and of their values', async () => {
    const named: AlertRule = {
      ...rule,
      name: 'named',
      watch: { for: 'count', lines: 1, within: 60, by: ['program', 'severity', 'facility', 'pid'] },
    };
    await alerted.restart([named]);
    alerted.said.length = 0;
    await alerted.add([failed(500, 'web1')]);
    const of = { program: 'sshd', severity: 'info', facility: 'auth', pid: '1' };
    assert.deepEqual(news(alerted), [['firing', of, 1, 'error']]);
    const last = alerted.notifications().findLast((one) => one.rule === 'named');
    assert.equal(last?.events[0]?.samples.length, 1);
    assert.match(last.look ?? '', / program:"sshd" severity:"info" facility:"auth" pid:"1" since:/);
  });

  test('a window may be as long as a week', async () => {
    const within = 7 * 86_400;
    await alerted.restart([{ ...rule, name: 'long', watch: { for: 'count', lines: 2, within, by: [] } }]);
    alerted.said.length = 0;
    await alerted.add([failed(600, 'web9'), failed(600 + within - 1, 'web9')]);
    assert.equal((await alerted.alerts().list()).find(({ rule: name }) => name === 'long')?.state, 'firing');
  });

  test('a statement ends at its limit', async () => {
    const { engine } = alerted.served.index;
    const condition = { where: '1', parameters: {} };
    await assert.rejects(
      select(
        { engine, condition, seconds: 0.5 },
        'SELECT sum(sipHash64(number)) AS n FROM numbers(1000000000000)',
      ),
      { code: 'engine-limit' },
    );
  });
});
