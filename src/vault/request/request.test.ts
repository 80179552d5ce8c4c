import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { lockFile } from '#base/file-lock';
import { openInbox } from './inbox.ts';
import { heldLock, isLocked } from './keeper-lock.ts';
import { parseRequest, type KeeperRequest } from './request.ts';
import { RequestError } from './errors.ts';
import { sendRequest } from './send.ts';

const keysFor = (t: TestContext): string => {
  const keys = mkdtempSync(join(tmpdir(), 'holdfast-request-'));
  t.after(() => rmSync(keys, { recursive: true, force: true }));
  return keys;
};

const hold: KeeperRequest = { kind: 'hold', entries: { first: 1, end: 9 }, reason: 'case 7', by: 'counsel' };
const code =
  (wanted: string) =>
  (error: unknown): boolean =>
    error instanceof RequestError && error.code === wanted;

describe('asking the keeper', () => {
  it('hands the request over whole, and brings the answer back; nothing is left', async (t) => {
    const keys = keysFor(t);
    const held = await lockFile(join(keys, 'keeper.lock'));
    const inbox = await openInbox(keys);
    const asked = sendRequest(hold, { keys });
    let taken = await inbox.next();
    for (; taken === null; taken = await inbox.next()) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(taken.request, hold);
    assert.ok(await inbox.isOpen(taken.id));
    assert.equal((await inbox.next())?.id, taken.id, 'until it is answered, it is the next one');
    await inbox.answer(taken.id, { done: true, entry: 12, notes: ['a note'] });
    assert.deepEqual(await asked, { done: true, entry: 12, notes: ['a note'] });
    assert.deepEqual(readdirSync(join(keys, 'requests')), []);
    held?.release();
  });

  it('says at once that no keeper runs, and takes the request back from one that does not answer', async (t) => {
    const keys = keysFor(t);
    await assert.rejects(sendRequest(hold, { keys }), code('not-running'));
    await openInbox(keys);
    await assert.rejects(sendRequest(hold, { keys }), code('not-running'));
    const held = await lockFile(join(keys, 'keeper.lock'));
    await assert.rejects(sendRequest(hold, { keys, takenWithinMs: 200 }), code('not-running'));
    assert.deepEqual(readdirSync(join(keys, 'requests')), []);
    held?.release();
  });

  it('knows of the lock without opening its file, and follows no link for it', async (t) => {
    const keys = keysFor(t);
    const path = join(keys, 'keeper.lock');
    assert.equal(await heldLock(path), 'free');
    // A process of its own: one that closed the file here would let go of the lock.
    const holder = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '-e',
      `import { lockFile } from '${new URL('../../base/file-lock.ts', import.meta.url).href}';
      await lockFile(process.argv[1]);
      console.log('locked');
      setInterval(() => undefined, 1000);`,
      path,
    ]);
    t.after(() => holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    assert.equal(await heldLock(path), 'held');
    const link = join(keys, 'link');
    symlinkSync(path, link);
    assert.equal(await heldLock(link), 'free');
    // Whatever lies in its place is not opened.
    chmodSync(path, 0);
    assert.equal(await heldLock(path), 'held');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    assert.equal(await heldLock(path), 'free');
    writeFileSync(path, 'no database');
    await assert.rejects(sendRequest(hold, { keys }), code('not-running'));
  });

  it('tells a lock that is held from one that is waited for, shared or of another file', () => {
    const line = (kind: string, access: string, inode: number): string =>
      `${kind}  ADVISORY  ${access} 4242 fe:00:${inode} 1073741824 1073742335\n`;
    assert.ok(isLocked(`1: ${line('FLOCK', 'WRITE', 7)}2: ${line('POSIX', 'WRITE', 8)}`, 8n));
    assert.ok(isLocked(`1: ${line('OFDLCK', 'WRITE', 8)}`, 8n));
    for (const other of [line('POSIX', 'WRITE', 7), line('POSIX', 'READ', 8), line('FLOCK', 'WRITE', 8)])
      assert.ok(!isLocked(`1: ${other}`, 8n));
    assert.ok(!isLocked(`1: -> ${line('POSIX', 'WRITE', 8)}`, 8n));
    assert.ok(!isLocked('', 8n));
  });

  it('does not take back what the keeper has taken', async (t) => {
    const keys = keysFor(t);
    const held = await lockFile(join(keys, 'keeper.lock'));
    const inbox = await openInbox(keys);
    const asked = sendRequest(hold, { keys, takenWithinMs: 60_000, answeredWithinMs: 300 });
    asked.catch(() => undefined);
    while ((await inbox.next()) === null) await new Promise((resolve) => setTimeout(resolve, 5));
    await assert.rejects(asked, code('no-answer'));
    assert.equal(readdirSync(join(keys, 'requests')).length, 1);
    held?.release();
  });

  it('follows no link: neither for the directory, nor for a request, nor for an answer', async (t) => {
    const keys = keysFor(t);
    const elsewhere = join(keys, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(keys, 'requests'));
    const held = await lockFile(join(keys, 'keeper.lock'));
    await assert.rejects(sendRequest(hold, { keys, takenWithinMs: 200 }), code('unwritable'));
    await assert.rejects(openInbox(keys), /not the keeper's own directory/);
    assert.deepEqual(readdirSync(elsewhere), []);
    rmSync(join(keys, 'requests'));
    const inbox = await openInbox(keys);
    const secret = join(keys, 'secret');
    writeFileSync(secret, JSON.stringify(hold));
    symlinkSync(secret, join(keys, 'requests', '0123456789abcdef.json'));
    assert.equal(await inbox.next(), null);
    assert.match(
      readFileSync(join(keys, 'requests', '0123456789abcdef.result.json'), 'utf8'),
      /"bad-request"/,
    );
    assert.equal(readFileSync(secret, 'utf8'), JSON.stringify(hold));
    held?.release();
  });

  it('clears old answers and unfinished writes away at the start, and leaves requests', async (t) => {
    const keys = keysFor(t);
    await openInbox(keys);
    const directory = join(keys, 'requests');
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const name of [
      '0123456789abcdef.result.json',
      'tmp-1-x',
      '1123456789abcdef.json',
      'aaaaaaaaaaaaaaaa.result.json',
    ])
      writeFileSync(join(directory, name), '{}');
    for (const name of ['0123456789abcdef.result.json', '1123456789abcdef.json'])
      utimesSync(join(directory, name), old, old);
    await openInbox(keys);
    assert.deepEqual(readdirSync(directory).sort(), [
      '1123456789abcdef.json',
      'aaaaaaaaaaaaaaaa.result.json',
    ]);
  });
});

describe('the shape of a request', () => {
  const good: KeeperRequest[] = [
    hold,
    { kind: 'release', hold: 3, reason: 'r', by: 'b' },
    { kind: 'redact', entry: 3, line: 1, reason: 'r', by: 'b' },
    { kind: 'rotate-key', reason: 'r', by: 'b' },
  ];
  it('is strict', () => {
    for (const request of good) assert.deepEqual(parseRequest(Buffer.from(JSON.stringify(request))), request);
    const bad: unknown[] = [
      null,
      [],
      {},
      { ...hold, more: 1 },
      { ...hold, by: '' },
      { ...hold, by: 'a\nb' },
      { ...hold, reason: 'x'.repeat(201) },
      { ...hold, entries: { first: 9, end: 9 } },
      { ...hold, entries: { first: 1, end: 9, more: 1 } },
      { ...hold, entries: { first: -1, end: 9 } },
      { ...hold, entries: { first: 1.5, end: 9 } },
      { ...hold, kind: 'toString' },
      { ...hold, kind: 'expire' },
    ];
    for (const value of bad)
      assert.throws(() => parseRequest(Buffer.from(JSON.stringify(value))), JSON.stringify(value));
    assert.throws(() => parseRequest(Buffer.alloc(20_000, 0x20)));
  });
});
