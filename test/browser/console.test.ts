import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sampleHit, startScriptedSearch } from '../../src/console/scripted-search.ts';
import { withoutBrowser } from './chromium.ts';
import { token, wide, phone, setStage } from './console-stage.ts';

test(
  'from the link to the lines, a search, one line whole, and back',
  { skip: withoutBrowser },
  async (t) => {
    const { page, complaints, address } = await setStage(t, wide);
    await page.goto(`${address}/?token=${token}`);
    assert.equal(page.url(), `${address}/`, 'the token has left the address');

    await page.getByText('ordinary line 1199', { exact: true }).waitFor();
    assert.ok((await page.getByRole('row').count()) < 100, 'only the rows in sight are drawn');
    assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '1000');
    await page.getByRole('button', { name: 'The vault' }).getByText('Unaltered').waitFor();
    await page.getByText('1,200 lines match, the newest 1,000 are shown').waitFor();
    await page.getByRole('img', { name: /^1,200 lines, / }).waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('disk error');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${address}/?q=disk+error`);
    await page.getByText('3 lines match').waitFor();
    assert.equal(await page.getByRole('row').count(), 3);
    assert.equal(await page.locator('.hit mark').first().textContent(), 'disk');

    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    const detail = page.getByRole('complementary', { name: 'Line 1:800' });
    await detail.waitFor();
    await detail.getByText('3c 31 34 3e 64 69 73 6b  20 65 72 72 6f 72 20 6e  <14>disk error n').waitFor();
    const proof = detail.getByRole('region', { name: 'Proof' });
    await proof.getByText('holdfast vault prove 1:800 > line.tlog-proof', { exact: true }).waitFor();
    await proof.getByRole('button', { name: 'Command' }).waitFor();
    assert.match((await proof.textContent()) ?? '', /line 1:800 of this log.*holdfast vault check.*offline/);
    await detail.getByRole('button', { name: 'A minute before and after' }).click();
    await page.waitForURL(`${address}/?q=around%3A1%3A800`);
    await detail.waitFor({ state: 'detached' });
    await page.goBack();
    await page.getByText('3 lines match').waitFor();

    await page.goBack();
    await page.getByText('ordinary line 1199', { exact: true }).waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Search the log' }).inputValue(), '');
    assert.deepEqual(complaints, []);
  },
);

test(
  'freshness is good only while a witness vouches for it, and a vault that was put back is no good news',
  { skip: withoutBrowser },
  async (t) => {
    const { page, search, address } = await setStage(t, wide);
    await page.goto(`${address}/?token=${token}`);
    const claim = page.locator('.claim', { hasText: 'Freshness' });
    const strip = page.getByRole('button', { name: 'The vault' });
    for (const [query, verdict, tone, said] of [
      ['unknown', 'unknown', 'unknown', 'Unaltered'],
      ['current', 'current', 'good', 'Unaltered'],
      ['contradicted', 'contradicted', 'bad', 'Contradicted'],
    ] as const) {
      search.freshness = { verdict, detail: `it is ${verdict}` };
      await page.goto(`${address}/?q=${query}`);
      await claim.getByText(verdict, { exact: true }).waitFor();
      assert.equal(await claim.getAttribute('data-tone'), tone);
      assert.ok((await claim.textContent())?.includes(`it is ${verdict}`));
      await strip.getByText(said).waitFor();
    }
    assert.equal(await strip.getByText('Unaltered').count(), 0);
  },
);

test(
  'a new line appears by itself, and stays away while the page stands still',
  { skip: withoutBrowser },
  async (t) => {
    const { page, search, complaints, address } = await setStage(t, wide);
    await page.goto(`${address}/?token=${token}`);
    await page.getByText('following').waitFor();

    const send = (hit: ReturnType<typeof sampleHit>) => {
      search.hits.push(hit);
      search.toTails(hit);
    };
    send(sampleHit({ address: '2:1', message: 'this came just now' }));
    await page.getByText('this came just now').waitFor();
    search.toTails({ dropped: 17 });
    await page.getByText('17 live lines were too fast').waitFor();

    await page.getByRole('switch', { name: 'Live' }).click();
    await page.getByText('standing still').waitFor();
    assert.match(page.url(), /live=0/);
    search.hits.push(sampleHit({ address: '2:2', message: 'this came meanwhile' }));
    await page.waitForTimeout(300);
    assert.equal(await page.getByText('this came meanwhile').count(), 0);
    assert.equal(await page.getByText('this came just now').count(), 1, 'what was there stays');

    await page.getByRole('switch', { name: 'Live' }).click();
    await page.getByText('this came meanwhile').waitFor();
    assert.equal(
      await page.getByText('this came just now').count(),
      1,
      'once, though search and tail both had it',
    );
    assert.deepEqual(complaints, []);
  },
);

test('text from a log is text and nothing else', { skip: withoutBrowser }, async (t) => {
  const { page, search, complaints, address, state } = await setStage(t, wide);
  const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>\u202egpj.exe\u001b[2J`;
  search.hits.push(
    sampleHit({
      address: '7:7',
      message: hostile,
      host: hostile,
      app: hostile,
      source: hostile,
      fields: { [hostile]: hostile },
    }),
  );
  await writeFile(
    join(state, 'run', 'audit.json'),
    JSON.stringify({
      host: hostile,
      time: '2026-05-12T03:00:00.000000Z',
      sections: { services: null, patches: null, logging: null, isolation: null },
      findings: [
        {
          id: hostile,
          section: 'services',
          severity: 'high',
          title: hostile,
          evidence: [hostile],
          options: [],
        },
      ],
      couldNotLook: [{ what: hostile, why: hostile, remedy: hostile }],
    }),
  );
  await page.goto(`${address}/?token=${token}`);
  await page.locator('.hit', { hasText: 'owned' }).click();
  await page.getByRole('complementary', { name: 'Line 7:7' }).waitFor();
  await page.locator('.finding').getByText('owned').first().waitFor();

  const shown = (await page.locator('.detail-message').textContent()) ?? '';
  assert.ok(shown.startsWith('<img src=x onerror='), shown);
  assert.ok(shown.endsWith('\\u202egpj.exe\\x1b[2J'), shown);
  const everything = (await page.locator('body').textContent()) ?? '';
  // Line feeds come from the page's own preformatted blocks.
  assert.doesNotMatch(everything, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  assert.equal(await page.title(), 'Holdfast');
  assert.equal(await page.locator('img, .page script, iframe').count(), 0);
  await page.getByRole('tab', { name: 'Sources' }).click({ force: true });
  assert.deepEqual(complaints, []);
});

test(
  'a section that could not be looked at is not one in which nothing was found',
  { skip: withoutBrowser },
  async (t) => {
    const { page, address, state } = await setStage(t, wide);
    await writeFile(
      join(state, 'run', 'audit.json'),
      JSON.stringify({
        host: 'gull',
        time: '2026-05-12T03:00:00.000000Z',
        sections: {
          services: null,
          patches: { upgrades: { result: 'clean' } },
          logging: { processesSeen: 'all', files: [] },
          isolation: { servicesSeen: 'none' },
        },
        findings: [],
        couldNotLook: [{ what: 'sockets', why: 'no procfs', remedy: 'mount one' }],
      }),
    );
    await page.goto(`${address}/?token=${token}`);
    const section = async (title: string) =>
      (await page.locator('.section', { hasText: title }).textContent()) ?? '';
    assert.equal(await section('Services'), 'Services?could not look');
    assert.equal(await section('Isolation'), 'Isolation?could not look');
    assert.equal(await section('Patches'), 'Patches0nothing found in what could be seen');
    assert.equal(await section('Logging'), 'Logging0nothing found in what could be seen');
  },
);

test('the policy keeps text from becoming markup', { skip: withoutBrowser }, async (t) => {
  const { page, complaints, address } = await setStage(t, wide);
  await page.goto(`${address}/?token=${token}`);
  await page.getByText('following').waitFor();
  const outcome = await page.evaluate(
    `(() => { try { document.body.innerHTML = '<b>x</b>'; return 'set'; } catch { return 'refused'; } })()`,
  );
  assert.equal(outcome, 'refused');
  assert.ok(complaints.some((complaint) => complaint.includes("requires 'TrustedHTML'")));
});

test('each state says what is the matter and what to do', { skip: withoutBrowser }, async (t) => {
  const { page, search, address } = await setStage(t, wide);
  await page.goto(`${address}/?token=wrong`);
  await page.getByText('holdfast up', { exact: true }).waitFor();

  await page.goto(`${address}/?token=${token}`);
  await page.getByText('has not been audited yet').waitFor();
  await page.goto(`${address}/?q=no+such+thing`);
  await page.getByRole('heading', { name: 'No line matches' }).waitFor();

  search.refuse(400, { code: 'bad-query', message: 'there is no field "ap"', column: 4, suggestion: 'app:' });
  await page.goto(`${address}/?q=foo+ap%3Asshd`);
  await page.getByText('there is no field "ap"').waitFor();
  assert.equal(await page.locator('.caret').textContent(), 'foo ap:sshd\n    ^');
  search.refuse(200, null);

  search.hits.length = 0;
  await page.goto(address);
  await page.getByRole('heading', { name: 'The log is empty' }).waitFor();

  await search.stop();
  await page.reload();
  await page.getByRole('heading', { name: 'The indexer is away' }).waitFor();
  await page.getByText('indexer away', { exact: true }).waitFor();
});

test('the indexer comes back and so do the lines, without a reload', { skip: withoutBrowser }, async (t) => {
  const { page, search, address, state } = await setStage(t, wide);
  await page.goto(`${address}/?token=${token}`);
  await page.getByText('following').waitFor();
  await search.stop();
  await page.getByText('live lines broke off').waitFor();
  assert.ok((await page.getByRole('row').count()) > 10, 'the lines that were shown stay');

  const again = await startScriptedSearch(join(state, 'run', 'search.sock'));
  t.after(() => again.stop());
  again.hits.push(sampleHit({ address: '8:1', message: 'committed while search was away' }));
  await page.getByText('committed while search was away').waitFor();
  await page.getByText('following').waitFor();
});

test(
  'on a phone the log and the host share the screen by tabs, nothing sticks out',
  { skip: withoutBrowser },
  async (t) => {
    const { page, complaints, address } = await setStage(t, phone);
    await page.goto(`${address}/?token=${token}`);
    await page.getByText('ordinary line 1199', { exact: true }).waitFor();
    const sticksOut = () => page.evaluate('document.documentElement.scrollWidth > innerWidth');
    assert.equal(await sticksOut(), false);
    await page.locator('.hit', { hasText: 'ordinary line 1199' }).click();
    await page.getByRole('complementary', { name: 'Line 1:1199' }).waitFor();
    assert.equal(await sticksOut(), false);
    await page.getByRole('button', { name: 'Close the line' }).click();
    for (const view of ['Host audit', 'Sources', 'Vault']) {
      await page.getByRole('tab', { name: view }).click();
      await page.getByRole('tabpanel', { name: view }).waitFor();
      assert.equal(await sticksOut(), false, view);
    }
    assert.deepEqual(complaints, []);
  },
);
