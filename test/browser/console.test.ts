import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { startConsole } from '#console';
import {
  sampleHit,
  sampleSender,
  startScriptedSearch,
  type ScriptedSearch,
} from '../../src/console/scripted-search.ts';
import { complaintsOf, openBrowser, withoutBrowser, type Look } from './chromium.ts';

/**
 * The page as a person meets it: a real browser, the real console, the page built from the source as it is now. Behind
 * it stands a search server of the test's own, because a well-behaved one would not send what some tests need.
 */

const token = 'Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHNlY3JldA';
const web = join(import.meta.dirname, '..', '..', 'web');
const wide: Look = { width: 1400, height: 900, colorScheme: 'dark' };
const phone: Look = { width: 420, height: 800, colorScheme: 'light' };

let built: string;
before(async () => {
  if (withoutBrowser !== false) return;
  built = await mkdtemp(join(tmpdir(), 'holdfast-page-'));
  await build({ root: web, logLevel: 'warn', build: { outDir: built, emptyOutDir: true } });
});
after(async () => {
  if (withoutBrowser === false) await rm(built, { recursive: true, force: true });
});

type Stage = { page: Page; search: ScriptedSearch; complaints: string[]; address: string; state: string };

const setStage = async (t: TestContext, look: Look): Promise<Stage> => {
  const state = await mkdtemp(join(tmpdir(), 'holdfast-console-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  for (const part of ['run', 'vault']) await mkdir(join(state, part));
  const tokenFile = join(state, 'token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const search = await startScriptedSearch(join(state, 'run', 'search.sock'));
  t.after(() => search.stop());
  for (let line = 1; line <= 1_200; line += 1) search.hits.push(lineAt(line));
  const { address, stop } = await startConsole({
    state,
    host: '127.0.0.1',
    port: 0,
    tokenFile,
    page: built,
    log: () => undefined,
  });
  t.after(stop);
  const page = await (await openBrowser(t, look)).newPage();
  page.setDefaultTimeout(5_000);
  return { page, search, complaints: complaintsOf(page), address, state };
};

const lineAt = (line: number) => {
  const time = new Date(Date.now() - (1_200 - line) * 1_000).toISOString().replace('Z', '000Z');
  const message = line % 400 === 0 ? `disk error number ${line}` : `ordinary line ${line}`;
  return sampleHit({
    address: `1:${line}`,
    received: time,
    time,
    message,
    severity: line % 400 === 0 ? 'err' : 'info',
    raw: Buffer.from(`<14>${message}`).toString('base64'),
  });
};

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
    await page.keyboard.press('Escape');
    await detail.waitFor({ state: 'detached' });

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
    await page.getByText('this came just now').waitFor({ timeout: 2_000 });
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
  await page.getByText('committed while search was away').waitFor({ timeout: 10_000 });
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
