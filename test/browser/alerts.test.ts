import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertState } from '#wire/alert';
import { withoutBrowser } from './chromium.ts';
import { setStage, token, wide } from './console-stage.ts';

const rule: AlertState = {
  rule: 'failed-logins',
  query: 'app:sshd',
  watch: '3 within an hour',
  severity: 'error',
  notify: [],
  state: 'quiet',
  detail: null,
  firing: [],
  count: 0,
  evaluated: 1,
  behind: 0,
  lastFiring: null,
  lastDelivery: null,
};

test(
  'how rules stand is asked once, as each asking is a read in the log, and again by the button',
  { skip: withoutBrowser },
  async (t) => {
    const { page, search, complaints, address } = await setStage(t, wide);
    let asked = 0;
    search.answers.set('/alerts', () => {
      asked += 1;
      return asked === 1 ? [rule] : [{ ...rule, state: 'failing' }];
    });
    await page.clock.install();
    await page.goto(`${address}/?token=${token}`);
    await page.getByRole('tab', { name: 'Alerts', exact: true }).click();
    await page.getByText('1 rule, none is firing, at').waitFor();
    await page.clock.fastForward('10:00');
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.locator('.rules').getByText('failing', { exact: true }).waitFor();
    assert.equal(asked, 2);
    assert.deepEqual(complaints, []);
  },
);
