import assert from 'node:assert/strict';
import {
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

  it('does not take back what the keeper has taken', async (t) => {
    const keys = keysFor(t);
    const held = await lockFile(join(keys, 'keeper.lock'));
    const inbox = await openInbox(keys);
    const asked = sendRequest(hold, { keys, takenWithinMs: 300, answeredWithinMs: 600 });
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
