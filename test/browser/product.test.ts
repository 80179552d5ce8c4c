import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { build } from 'vite';
import { complaintsOf, openBrowser, withoutBrowser } from './chromium.ts';

const root = join(import.meta.dirname, '..', '..');

type Up = { link: string; tcp: number; udp: number };

/** `holdfast up` with a state of its own on free ports, ended as by Ctrl-C. */
const startUp = async (t: TestContext): Promise<Up> => {
  const state = await mkdtemp(join(tmpdir(), 'holdfast-up-'));
  t.after(() => rm(state, { recursive: true, force: true }));
  // Started by root, the processes have users of their own, who must get there.
  await chmod(state, 0o755);
  const listen = ['--listen', 'syslog-tcp=127.0.0.1:0', '--listen', 'syslog-udp=127.0.0.1:0'];
  const up = spawn(
    join(root, 'bin', 'holdfast'),
    ['up', '--state', join(state, 'state'), ...listen, '--console', '127.0.0.1:0', '--no-agent'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const ended = once(up, 'exit');
  t.after(async () => {
    up.kill('SIGINT');
    await ended;
  });
  let said = '';
  return new Promise((resolve, reject) => {
    up.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    up.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      const link = /(http:\/\/\S+\?token=\S+)\s/.exec(said)?.[1];
      const tcp = /syslogTcp \S+:(\d+)\D/.exec(said)?.[1];
      const udp = /syslogUdp \S+:(\d+)\D/.exec(said)?.[1];
      if (link !== undefined && tcp !== undefined && udp !== undefined) {
        resolve({ link, tcp: Number(tcp), udp: Number(udp) });
      }
    });
    up.once('exit', () => reject(new Error(`holdfast up ended before it printed its link:\n${said}`)));
  });
};

test(
  'a line that is sent is on the page within two seconds, and proven',
  { skip: withoutBrowser, timeout: 600_000 },
  async (t) => {
    await build({ root: join(root, 'web'), logLevel: 'warn' });
    const { link, tcp, udp } = await startUp(t);
    const page = await (await openBrowser(t, { width: 1400, height: 900, colorScheme: 'dark' })).newPage();
    page.setDefaultTimeout(60_000);
    const complaints = complaintsOf(page);
    await page.goto(link);
    await page.getByText('following').waitFor();

    const sender = connect(tcp, '127.0.0.1');
    t.after(() => sender.destroy());
    // Others may have the machine for a moment: then another line is tried.
    const isSoonThere = async (text: string): Promise<boolean> => {
      sender.write(`<38>1 2026-05-12T03:00:00Z gull tern - - - ${text}\n`);
      const there = page.getByText(text, { exact: true }).waitFor({ timeout: 2_000 });
      return there.then(
        () => true,
        () => false,
      );
    };
    let tried = 0;
    while (!(await isSoonThere(`soon there ${tried}`))) assert.ok((tried += 1) < 3, 'within two seconds');
    sender.write(
      '<38>1 2026-05-12T03:00:00.5Z gull sshd 812 - - Failed password \u001b[31mfor\u001b[0m root <b>bold</b>\n',
    );
    await page.getByText('Failed password \\x1b[31mfor\\x1b[0m root <b>bold</b>').waitFor();

    const datagrams = createSocket('udp4');
    t.after(() => datagrams.close());
    datagrams.send(
      Buffer.from([...Buffer.from('<11>May 12 03:00:01 heron cron[7]: bytes '), 0xff, 0x00, 0xfe]),
      udp,
      '127.0.0.1',
    );
    await page.getByText('bytes \\xff\\x00\\xfe').waitFor();

    await page.getByRole('textbox', { name: 'Search the log' }).fill('app:cron bytes');
    await page.keyboard.press('Enter');
    await page.getByText('1 line matches').waitFor();
    await page.locator('.hit').click();
    await page
      .locator('.hexdump')
      .getByText(/ff 00 fe/)
      .waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('textbox', { name: 'Search the log' }).fill('nofield:x');
    await page.keyboard.press('Enter');
    await page.getByText('there is no field "nofield"').waitFor();
    assert.equal(await page.locator('.caret').textContent(), 'nofield:x\n^');
    // That search and tail refused the query is all that this browser has to complain of.
    assert.ok(
      complaints.every((text) => text.includes('400 (Bad Request)')),
      complaints.join('\n'),
    );

    await page.getByRole('button', { name: 'Clear the search' }).click();
    await page.getByRole('button', { name: 'The vault' }).getByText('Unaltered').waitFor();
    await page.getByRole('tab', { name: 'Vault' }).click();
    await page.getByText('valid', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Sources' }).click();
    await page.locator('.sources').getByText('on heron').waitFor();
    const unfinished = connect(tcp, '127.0.0.1');
    unfinished.end('90 <13>1 2026-05-12T03:00:00Z gull sshd - - - a frame that is shorter than its count');
    await page.getByRole('tab', { name: 'Senders' }).click();
    await page.locator('.senders').getByText('1 torn').waitFor();
    await page.getByText('why').click();
    await page.getByText('torn: cut frame').waitFor();
    await page.getByRole('tab', { name: 'Host audit' }).click();
    await page.getByText('Findings, worst first').waitFor();
  },
);
