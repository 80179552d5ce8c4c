import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, type Clock } from '#base/clock';
import type { AlertRule, AlertState } from '#wire/alert';
import { lineAt, secondsAfter, serveAlerts, type Alerted } from './testing/alerted.ts';

const start = micros(Date.UTC(2026, 4, 12, 3, 0, 0) * 1000);
const minute = 60;
const at = (seconds: number, host: string): ReturnType<typeof lineAt> =>
  lineAt(secondsAfter(start, seconds), host, `tick ${seconds}`);

const base = { query: '', severity: 'critical', notify: ['admins'] } satisfies Partial<AlertRule>;
const learned: AlertRule = {
  ...base,
  name: 'learned',
  watch: { for: 'silence', by: ['host'], after: null, learn: 1800 },
};
const fixed: AlertRule = {
  ...base,
  name: 'fixed',
  query: 'host:db1',
  watch: { for: 'silence', by: ['host'], after: 45 * minute, learn: 0 },
};

/** Looks by wall-clock are a matter of minutes here, and so is the time of the test's lines. */
let stoodStill = 0;
const clockAt = (seconds: number): Clock => ({
  now: () => secondsAfter(start, seconds),
  elapsed: () => performance.now() + stoodStill,
});

const of = (alerted: Alerted, rule: string): unknown[] =>
  alerted.said
    .splice(0)
    .filter((line) => line['rule'] === rule)
    .map(({ state, of: key, text }) => [state, key, text]);

describe('more who speak than can be told apart', () => {
  const each: AlertRule = {
    ...base,
    name: 'each',
    watch: { for: 'silence', by: ['host'], after: minute, learn: 0 },
  };
  const many = (seconds: number, from: number, count: number): ReturnType<typeof lineAt>[] =>
    Array.from({ length: count }, (_, i) => at(seconds, `host${from + i}`));
  const stateOf = async (alerted: Alerted, wanted: string): Promise<AlertState> => {
    for (let waited = 0; waited < 60_000; waited += 10) {
      const [state] = await alerted.alerts().list();
      if (state?.state === wanted) return state;
      await sleep(10);
    }
    return assert.fail(`${wanted}: ${JSON.stringify(await alerted.alerts().list())}`);
  };

  test('fewer entries are looked at together; where that does not help the rule fails, and says so once', async (t) => {
    const alerted = await serveAlerts([each], [at(0, 'web1')], clockAt(0));
    t.after(() => alerted.remove());
    await alerted.alerts().stop();
    await alerted.served.add(many(10, 0, 10_001));
    await alerted.served.add(many(10, 10_001, 10_000));
    await alerted.restart([each], clockAt(10));
    assert.deepEqual(alerted.said, []);

    await alerted.served.add(many(20, 0, 20_001));
    const failing = await stateOf(alerted, 'failing');
    assert.match(failing.detail ?? '', /^more than 20000 values of host spoke at once/);
    await alerted.alerts().stop();
    const told = alerted.said.map(({ rule, state }) => [rule, state]);
    assert.deepEqual(told, [['each', 'broken']]);
    assert.match(
      alerted.notifications()[0]?.events[0]?.text ?? '',
      /^this alert is not evaluated: more than 20000 /,
    );

    await alerted.restart([{ ...each, query: 'host:web1' }], clockAt(20));
    await stateOf(alerted, 'quiet');
    await alerted.restart([{ ...each, query: 'host:web1' }], clockAt(20));
    assert.deepEqual(
      alerted.said.map(({ state }) => state),
      ['broken', 'recovered'],
    );
  });
});

describe('who used to speak and does not', () => {
  let alerted: Alerted;
  after(() => alerted.remove());
  /** Two hosts for two hours: one line a minute, and one every five. */
  const history = Array.from({ length: 120 }, (_, i) => [
    at(i * minute, 'web1'),
    ...(i % 5 === 0 ? [at(i * minute, 'db1')] : []),
  ]).flat();
  const end = 120 * minute;

  test('a pause that is usual is none, and who has just begun is not expected', async () => {
    alerted = await serveAlerts([learned, fixed], history, clockAt(0));
    await alerted.add([at(end, 'web1'), at(end, 'new1')]);
    await alerted.add([at(end + 4 * minute, 'web1')]);
    assert.deepEqual(of(alerted, 'learned'), []);
  });

  test('one that is much longer than ever is, and what is usual is named', async () => {
    await alerted.add([at(end + 20 * minute, 'web1')]);
    assert.deepEqual(of(alerted, 'learned'), [
      [
        'firing',
        { host: 'db1' },
        'nothing for 25 min; usually 13 lines an hour, and never longer apart than 5 min, in the 2 h 20 min before',
      ],
    ]);
    const [event] = alerted.notifications()[0]?.events ?? [];
    assert.match(event?.samples[0]?.message ?? '', /^tick 6900/);
  });

  test('it is told of once, and that it is over', async () => {
    await alerted.add([at(end + 25 * minute, 'web1')]);
    assert.deepEqual(of(alerted, 'learned'), []);
    await alerted.add([at(end + 26 * minute, 'db1'), at(end + 26 * minute, 'web1')]);
    assert.deepEqual(of(alerted, 'learned'), [['recovered', { host: 'db1' }, 'speaks again after 31 min']]);
  });

  test('a length that was configured is kept to', async () => {
    await alerted.add([at(end + 70 * minute, 'web1')]);
    await alerted.add([at(end + 72 * minute, 'web1')]);
    assert.match(
      JSON.stringify(of(alerted, 'fixed')),
      /^\[\["firing",\{"host":"db1"\},"nothing for 46 min; /,
    );
  });

  test('while nobody could be heard nobody is silent: not after a stop, and not without a receiver', async () => {
    const stopped = end + 73 * minute;
    await alerted.add([at(stopped, 'web1'), at(stopped, 'db1')]);
    alerted.said.length = 0;
    // Three hours later: the first that is heard is one of two.
    const again = stopped + 180 * minute;
    await alerted.restart([learned, fixed], clockAt(again));
    await alerted.add([at(again + 10, 'web1')]);
    assert.deepEqual(of(alerted, 'learned'), []);
    alerted.voice.connected = false;
    await alerted.restart([learned, fixed], clockAt(again + 60 * minute));
    await alerted.add([at(again + 60 * minute, 'web1')]);
    alerted.voice.connected = true;
    assert.deepEqual(of(alerted, 'fixed'), []);
    // From then on it is counted again.
    await alerted.add([at(again + 106 * minute, 'web1')]);
    assert.equal(of(alerted, 'fixed').length, 1);
  });

  test('a log that stood still, as on a full disk, makes nobody silent when it goes on', async () => {
    const full = end + 500 * minute;
    await alerted.restart([learned, fixed], clockAt(full));
    await alerted.add([at(full, 'web1'), at(full, 'db1')]);
    alerted.said.length = 0;
    const looks = await alerted.served.add([at(full + 1, 'web1')]);
    await alerted.lookedAt(looks);
    stoodStill = 151_000;
    await alerted.served.add([at(full + 60 * minute, 'web1')]);
    await alerted.lookedAt(looks + 1);
    await alerted.alerts().stop();
    assert.deepEqual(alerted.said, []);
  });
});
