import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleSender } from '../../src/console/scripted-search.ts';
import { withoutBrowser } from './chromium.ts';
import { token, wide, setStage } from './console-stage.ts';

test(
  'of each sender, what came and what did not, and a way to the lines',
  { skip: withoutBrowser },
  async (t) => {
    const { page, search, complaints, address } = await setStage(t, wide);
    const last = '2026-05-12T04:00:00.000001Z';
    search.senders.push(
      sampleSender({}),
      sampleSender({
        sender: '192.0.2.8',
        names: ['relay1.example.net'],
        via: ['syslog-tls'],
        hosts: 12,
        torn: 3,
        mismatched: 4_096,
        heldBack: 2.25,
        causes: [{ kind: 'torn', cause: 'cut frame', count: 3, last }],
      }),
      sampleSender({
        sender: '198.51.100.66',
        via: [],
        hosts: 0,
        lines: 0,
        first: null,
        last: null,
        refused: 40,
        causes: [{ kind: 'refusal', cause: 'refused sender', count: 40, last }],
      }),
      sampleSender({
        sender: null,
        via: [],
        lines: 0,
        first: null,
        last: null,
        lost: 1_234,
        causes: [{ kind: 'loss', cause: 'kernel udp drop', count: 1_234, last }],
      }),
    );
    await page.goto(`${address}/?token=${token}`);
    await page.getByRole('tab', { name: 'Senders' }).click();
    await page.getByText('1,234 lost and 3 torn, that is known.').waitFor();
    const rows = page.locator('.senders > li');
    assert.deepEqual(await rows.locator('.sender-name b').allTextContents(), [
      'Sender not known',
      '192.0.2.8',
      '198.51.100.66',
      '192.0.2.7',
    ]);
    await rows.nth(0).getByText('why').click();
    await rows.nth(0).getByText('loss: kernel udp drop').waitFor();
    if (process.env['HOLDFAST_SCREENSHOT'] !== undefined)
      await page.screenshot({ path: process.env['HOLDFAST_SCREENSHOT'] });
    await page.getByRole('button', { name: '4,096 lines claim another host' }).click();
    assert.equal(
      await page.getByRole('textbox', { name: 'Search the log' }).inputValue(),
      'source:192.0.2.8 claimed_host_mismatch=*',
    );
    assert.deepEqual(complaints, []);
  },
);
