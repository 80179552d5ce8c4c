import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Flag } from '#vault/record';
import { testAuthority } from '../../src/receive/testing/authority.ts';
import { start, until, type Started } from '../../src/receive/testing/receiver.ts';
import { linesOf, type StoredLine } from '../../src/receive/testing/stored.ts';
import { addEntry, journalUpload, noJournal, valueOf } from './journal.ts';

const workspace = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

const entries = (receiver: Started, listener: string): StoredLine[] =>
  receiver
    .stored()
    .filter((delivery) => delivery.listener.startsWith(`${listener}=`))
    .flatMap(linesOf);

/**
 * Each entry once, as the index shows them: it sends the entry that it stopped at once more, with the same cursor, if a
 * journal was opened anew meanwhile.
 */
const messages = (receiver: Started, listener: string, before: string[] = []): string[] => {
  const found = new Map<string, string>();
  for (const { raw, flags } of entries(receiver, listener)) {
    if (flags !== 0) continue;
    const entryCursor = String(valueOf(raw, '__CURSOR'));
    if (!before.includes(entryCursor))
      found.set(entryCursor, valueOf(raw, 'MESSAGE')?.toString('latin1') ?? '');
  }
  return [...found.values()];
};

const cursors = (receiver: Started, listener: string): string[] =>
  entries(receiver, listener).map(({ raw }) => String(valueOf(raw, '__CURSOR')));

const binary = Buffer.from('two\n\nlines\0\xff', 'latin1');
const long = 'x'.repeat(1_500_000);

/** One of each: text, bytes that are no text, more than a megabyte. */
const fill = (file: string): void => {
  addEntry(file, 1, { MESSAGE: 'one', PRIORITY: '6' });
  addEntry(file, 2, { MESSAGE: binary, EMPTY: '' });
  addEntry(file, 3, { MESSAGE: long });
  addEntry(file, 4, { MESSAGE: 'bad', BROKEN: 'x' });
  addEntry(file, 5, { MESSAGE: 'last' });
};

const cursor = (directory: string): string => readFileSync(join(directory, 'cursor'), 'utf8');

describe('systemd-journal-upload', { skip: noJournal }, () => {
  it('sends its journal over HTTP: binary fields, entries over a megabyte; goes on where it was', async (t) => {
    const directory = workspace(t);
    const journal = join(directory, 'journal');
    mkdirSync(journal);
    fill(join(journal, 'a.journal'));
    const receiver = await start(t, ['http']);
    const url = `http://127.0.0.1:${receiver.port('http')}`;
    const sent = await run(t, directory, url);
    assert.equal(sent.code, 0, sent.stderr);
    assert.deepEqual(messages(receiver, 'http'), ['one', binary.toString('latin1'), long, 'bad', 'last']);
    const [first] = entries(receiver, 'http');
    assert.match(first?.raw.toString('latin1') ?? '', /^__CURSOR=s=[0-9a-f]{32};i=1;/);
    assert.match(cursor(directory), /;i=5;/);
    const [delivery] = receiver.stored();
    assert.match(
      delivery?.meta ?? '',
      /^\{"via":"http","format":"journal","path":"\/upload","type":"application\/vnd\.fdo\.journal","encoding":"identity","agent":"systemd-journal-upload [^"]+"\}$/,
    );
    addEntry(join(journal, 'a.journal'), 6, { MESSAGE: 'after' });
    const again = await run(t, directory, url);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(messages(receiver, 'http').slice(5), ['after']);
  });

  it('is not wedged by an entry that is none', async (t) => {
    const directory = workspace(t);
    const journal = join(directory, 'journal');
    mkdirSync(journal);
    const file = join(directory, 'good.journal');
    fill(file);
    // A file that was damaged on disk: the field is sent as a line that is no field.
    const bytes = readFileSync(file);
    const at = bytes.indexOf('BROKEN=x');
    assert.ok(at > 0 && bytes.indexOf('BROKEN=x', at + 1) < 0);
    bytes.write('BROKEN_x', at);
    writeFileSync(join(journal, 'a.journal'), bytes);
    const receiver = await start(t, ['http']);
    const sent = await run(t, directory, `http://127.0.0.1:${receiver.port('http')}`);
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(cursor(directory), /;i=5;/);
    assert.deepEqual(messages(receiver, 'http'), ['one', binary.toString('latin1'), long, 'last']);
    const torn = entries(receiver, 'http').filter(({ flags }) => flags !== 0);
    assert.deepEqual(
      torn.map(({ flags }) => flags),
      [Flag.torn],
    );
    assert.match(torn[0]?.raw.toString() ?? '', /^MESSAGE=bad\nBROKEN_x$/m);
    await receiver.stop();
    const ledger = receiver.lines('receiver').map((line) => JSON.parse(line));
    assert.deepEqual(
      ledger.map(({ cause, sender, count }) => ({ cause, sender, count })),
      [{ cause: 'torn entry', sender: '127.0.0.1', count: 1 }],
    );
  });

  it('sends over HTTPS with its certificate, follows, and loses nothing while the receiver is away', async (t) => {
    const directory = workspace(t);
    const journal = join(directory, 'journal');
    mkdirSync(journal);
    const file = join(journal, 'a.journal');
    addEntry(file, 1, { MESSAGE: 'one' });
    const authority = testAuthority(t);
    const web = authority.issue('web1.example');
    const receiver = await start(t, ['https'], {}, '127.0.0.1', () => undefined, { tls: authority.files });
    const url = `https://127.0.0.1:${receiver.port('https')}`;
    const keys = [`--key=${web.key}`, `--cert=${web.certificate}`, `--trust=${authority.files.authority}`];
    const follower = follow(t, directory, url, keys);
    await until(() => messages(receiver, 'https').length === 1);
    addEntry(file, 2, { MESSAGE: 'two' });
    await until(() => messages(receiver, 'https').length === 2);
    assert.deepEqual(messages(receiver, 'https'), ['one', 'two']);
    assert.ok(
      receiver
        .stored()
        .filter(({ listener }) => listener.startsWith('https'))
        .every(({ tlsName }) => tlsName === 'web1.example'),
    );
    await receiver.stop();
    addEntry(file, 3, { MESSAGE: 'three' });
    // It gives up, as it always has; its unit starts it again.
    await until(() => follower.exitCode !== null);
    assert.notEqual(follower.exitCode, 0);
    const next = await start(t, ['https'], {}, '127.0.0.1', () => undefined, { tls: authority.files });
    const sent = await run(t, directory, `https://127.0.0.1:${next.port('https')}`, keys);
    assert.equal(sent.code, 0, sent.stderr);
    assert.deepEqual(messages(next, 'https', cursors(receiver, 'https')), ['three']);
  });
});

/** The receiver runs in this process, so nothing here may wait without turning the event loop. */
const run = async (
  t: TestContext,
  directory: string,
  url: string,
  more: string[] = [],
): Promise<{ code: number | null; stderr: string }> => {
  const child = spawnUpload(t, directory, url, ['--follow=no', ...more]);
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const [code] = await once(child, 'exit');
  return { code, stderr };
};

const follow = (t: TestContext, directory: string, url: string, more: string[]): ChildProcess =>
  spawnUpload(t, directory, url, ['--follow=yes', ...more]);

const spawnUpload = (t: TestContext, directory: string, url: string, more: string[]): ChildProcess => {
  const child = spawn(
    journalUpload,
    [
      `--url=${url}`,
      `--directory=${join(directory, 'journal')}`,
      `--save-state=${join(directory, 'cursor')}`,
      ...more,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  return child;
};
