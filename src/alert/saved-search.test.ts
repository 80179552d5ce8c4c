import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertRule } from '#wire/alert';
import { bodyOf } from '../search/testing/served-vault.ts';
import { testTime } from '../index/testing/grown-vault.ts';
import { lineAt, secondsAfter, serveAlerts, type Alerted } from './testing/alerted.ts';

const rule: AlertRule = {
  name: 'logins',
  query: '@failed',
  severity: 'error',
  notify: ['admins'],
  watch: { for: 'count', lines: 1, within: 60, by: ['host'] },
};

describe('a rule that asks for a saved search', () => {
  let alerted: Alerted;
  let second = 0;
  const save = async (query: string): Promise<void> => {
    const response = await alerted.served.call('POST', '/save', { name: 'failed', query });
    assert.equal(response.statusCode, 200, await bodyOf(response));
  };
  const fail = (host: string): Promise<number> => {
    second += 1;
    return alerted.served.add([lineAt(secondsAfter(testTime, second), host, 'Failed password')]);
  };
  const wait = async (what: string, is: () => boolean | Promise<boolean>): Promise<void> => {
    for (const end = performance.now() + 60_000; !(await is()); await sleep(10))
      assert.ok(performance.now() < end, `${what}: ${JSON.stringify(await alerted.alerts().list())}`);
  };
  const comesTo = (wanted: string): Promise<void> =>
    wait(wanted, async () => (await alerted.alerts().list())[0]?.state === wanted);
  const fires = (host: string): Promise<void> =>
    wait(`an alert about ${host}`, () =>
      alerted.said.some(
        ({ state, of }) => state === 'firing' && JSON.stringify(of) === JSON.stringify({ host }),
      ),
    );

  before(async () => {
    alerted = await serveAlerts([], [lineAt(testTime, 'web0', 'first')]);
    await save('"failed password"');
    await alerted.restart([rule]);
    await fail('web1');
    await fires('web1');
  });
  after(() => alerted.remove());

  test('fails while that is what no rule may ask for, and goes on where it was once it is saved anew', async () => {
    await save('"failed password" since:1h');
    await fail('web2');
    await comesTo('failing');
    await save('"failed password"');
    await fires('web2');
  });

  test('fails while there is none of that name', async () => {
    assert.equal((await alerted.served.call('POST', '/forget', { name: 'failed' })).statusCode, 200);
    await fail('web3');
    await comesTo('failing');
    await save('"failed password"');
    await fires('web3');
  });
});
