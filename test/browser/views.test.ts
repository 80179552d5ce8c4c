import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeState, search, startUp, temporaryState, until } from '../harness/up.ts';
import { withoutBrowser } from './chromium.ts';
import { openConsole, phone, token, wide } from './console-stage.ts';

/** Every view of the log beside its lines, over one Holdfast that really runs. */
const config = `
[[alert]]
name = "failed-logins"
query = 'app:sshd "failed password"'
count = 3
within = "1h"
by = "host"
notify = ["nobody"]

[[notify]]
name = "nobody"
command = ["/bin/false"]
`;

const lineOf = (host: string, app: string, message: string): string =>
  `<38>1 ${new Date().toISOString()} ${host} ${app} 7 - - ${message}\n`;

test('the views of the log', { skip: withoutBrowser, timeout: 600_000 }, async (t) => {
  const state = temporaryState();
  t.after(() => removeState(state));
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'holdfast.toml');
  writeFileSync(file, config);
  const up = await startUp(state, ['--no-agent', '--config', file]);
  t.after(() => up.interrupt());

  const send = async (lines: string[]) => {
    const sender = connect(up.syslogTcp(), '127.0.0.1');
    sender.end(lines.join(''));
    await once(sender, 'close');
  };
  const logins = [0, 1, 2, 3].map((at) =>
    lineOf('web1', 'sshd', `Failed password for root from 10.0.0.${at} port 4${at}0`),
  );
  await send([
    ...logins,
    lineOf('web2', 'nginx', 'GET /shop status=502'),
    lineOf('web2', 'odd/name', 'hostile \u001b[31m<b>text</b>'),
    lineOf('web2', '-', 'nobody says this'),
  ]);
  await until('the lines are found', () => search(state, '').hits.length === 7);

  const { page, complaints, address } = await openConsole(t, state.root, wide);
  await page.goto(`${address}/?token=${token}`);
  const view = (name: string) => page.getByRole('tab', { name, exact: true }).click();
  const verdicts = page.locator('.view > .verdict');
  const query = page.getByRole('textbox', { name: 'Search the log' });
  const isJudged = async () => {
    await verdicts.getByText('unaltered').waitFor();
    assert.match((await verdicts.textContent()) ?? '', /Integrity: unaltered.*Completeness: unknown/s);
  };

  await t.test('counts by names, and leads to the lines of a group', async () => {
    await view('Counts');
    const row = page.locator('.rows tbody tr');
    await row.first().waitFor();
    assert.match((await row.first().textContent()) ?? '', /^457\.1 %web1sshd$/);
    await isJudged();
    await page.getByRole('button', { name: 'status', exact: true }).click();
    await page.getByRole('button', { name: '502', exact: true }).click();
    await page.getByText('1 line matches').waitFor();
    assert.equal(await query.inputValue(), 'status=502');
    await page.goBack();
    assert.match(page.url(), /view=counts&by=status/);
    await page.getByRole('button', { name: 'none', exact: true }).click();
    await page.getByText('6 lines match').waitFor();
    assert.equal(await query.inputValue(), '(-status=* OR status="")');
  });

  await t.test('folds similar lines, and says what is new', async () => {
    await page.goto(`${address}/?view=patterns`);
    const first = page.locator('.patterns > li').first();
    await first.getByText('Failed password for').waitFor();
    assert.match((await first.textContent()) ?? '', /sshd · 4 lines/);
    await isJudged();
    await page.getByRole('button', { name: 'new since 1 h' }).click();
    await page.locator('.patterns > li').nth(2).waitFor();
    await first.getByRole('button').click();
    await page.getByText('4 lines match').waitFor();
    assert.match(await query.inputValue(), /^app:sshd "Failed password for root from" "port"/);
  });

  await t.test('shows the tree, and gives a file as plain text', async () => {
    await page.goto(`${address}/?view=files`);
    await page.locator('.files .row-link').first().click();
    await isJudged();
    await page.getByRole('button', { name: 'web2' }).click();
    await page.getByRole('button', { name: 'odd/name' }).waitFor();
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download odd/name' }).click();
    const download = await downloading;
    assert.match(download.suggestedFilename(), /^\d{4}-\d\d-\d\d_web2_odd_name\.log$/);
    const kept = readFileSync(await download.path(), 'latin1');
    assert.match(kept, /^<38>1 \S+ web2 odd\/name 7 - - hostile \u001b\[31m<b>text<\/b>\n$/);
    await page.getByRole('button', { name: 'no program' }).click();
    await page.getByText('1 line matches').waitFor();
    assert.match(await query.inputValue(), /^host:web2 app:"" since:\S+ until:\S+$/);
    await page.goBack();
    await page.getByRole('button', { name: 'All days' }).click();
    await page.getByText('Day (UTC)').waitFor();
  });

  await t.test('saves, runs and deletes searches', async () => {
    await page.goto(`${address}/?view=saved&q=app%3Asshd`);
    await page.getByText('No search is saved.').waitFor();
    await isJudged();
    await page.getByLabel('as @').fill('logins');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText('4 lines match').waitFor();
    assert.equal(await query.inputValue(), '@logins');
    await query.fill('@login');
    await page.keyboard.press('Enter');
    await page.getByText('there is no saved search').waitFor();
    assert.equal(await page.locator('.caret').textContent(), '@login\n^');
    await view('Saved');
    await page.getByRole('button', { name: 'Delete logins' }).click();
    await page.getByRole('button', { name: 'Delete logins for good' }).click();
    await page.getByText('No search is saved.').waitFor();
  });

  await t.test('shows what fires, and what could not be delivered', async () => {
    // The rule may have begun after what was sent at first.
    await send(logins);
    const alerts = (kind: string) => search(state, `app:holdfast kind=${kind} -kind=read`).hits;
    await until('the rule fires', () => alerts('alert').length > 0);
    await page.goto(`${address}/?view=alerts`);
    const rule = page.locator('.rules > li');
    await rule.getByText('firing', { exact: true }).waitFor();
    await rule.getByText('host web1: ').waitFor();
    await isJudged();
    await until('a failed delivery is a line', () => alerts('alert-delivery').length > 0);
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('result=failed').first().waitFor();
  });

  await t.test('lists the fields beside the search', async () => {
    await page.goto(`${address}/?q=web2`);
    await page.getByRole('tab', { name: 'Fields' }).click();
    await page.locator('.fields').getByRole('button', { name: '502' }).click();
    await page.getByText('1 line matches').waitFor();
    assert.equal(await query.inputValue(), 'web2 status=502');
    assert.match((await page.locator('.panel .verdict').textContent()) ?? '', /Integrity: unaltered/);
  });

  await t.test('can be used by keyboard alone', async () => {
    await page.goto(`${address}/?view=lines`);
    await page.getByRole('tab', { name: 'Lines', exact: true }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.locator('.patterns > li').first().waitFor();
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.className')) === 'row-link pattern') break;
    }
    await page.keyboard.press('Enter');
    await page.getByText('8 lines match').waitFor();
  });

  await t.test('fits a phone', async () => {
    await page.setViewportSize(phone);
    for (const name of ['counts', 'patterns', 'files', 'saved', 'alerts']) {
      await page.goto(`${address}/?view=${name}`);
      await page.locator('.view-body').waitFor();
      assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false, name);
    }
  });

  await t.test('is recorded as reads, and names the session', async () => {
    const wanted = ['counts', 'patterns', 'browse', 'leaf', 'save', 'forget', 'saved', 'alerts', 'fields'];
    const read = (): Set<string | undefined> =>
      new Set(search(state, 'app:holdfast kind=read for.session=*').hits.map(({ fields }) => fields['read']));
    await until('each view is a line', () => wanted.every((name) => read().has(name)));
  });
  // That search refused a query is all that this browser has to complain of.
  assert.deepEqual(
    complaints.filter((text) => !text.includes('400 (Bad Request)')),
    [],
  );
});
