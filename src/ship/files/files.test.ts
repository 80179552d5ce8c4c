import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '#base/clock';
import type { CouldNotLook } from '#base/looked';
import { connectOwn, type Deliverer } from '../deliver.ts';
import type { Source } from '../source.ts';
import { finish, writer } from '../testing/line-writer.ts';
import { distinct, receivedIn, serveOwn, type Received } from '../testing/own-server.ts';
import { place, type Place, quiet, until } from '../testing/place.ts';
import { followFiles, type FilesTiming } from './files.ts';

const clock = systemClock();
const quick: Partial<FilesTiming> = { poll: 40, rescan: 150, settle: 250, copy: 2000, removed: 1000 };

type Following = { deliverer: Deliverer; source: Source; unseen: CouldNotLook[]; stop(): Promise<void> };

const follow = async (at: Place, excluded: string[] = []): Promise<Following> => {
  const deliverer = await connectOwn({
    socket: at.socket,
    spool: at.spool,
    sender: 't',
    stream: 't',
    clock,
    log: quiet().log,
  });
  const unseen: CouldNotLook[] = [];
  const source = followFiles({
    deliverer,
    roots: [at.logs],
    excluded,
    host: () => 'h',
    clock,
    couldNotLook: (item) => void unseen.push(item),
    fail: (error) => assert.fail(String(error)),
    timing: quick,
  });
  return {
    deliverer,
    source,
    unseen,
    async stop() {
      await source.stop();
      await deliverer.close(1000);
    },
  };
};

const setUp = async (t: TestContext): Promise<Place & { lines(): Received[]; texts(): string[] }> => {
  const at = place(t);
  const server = await serveOwn(at.socket, at.received);
  at.after(() => server.close());
  const lines = (): Received[] => distinct(receivedIn(at.received));
  return {
    ...at,
    lines,
    texts: () =>
      lines()
        .filter((got) => got.meta.via === 'file')
        .map((got) => got.raw.toString()),
  };
};

const numbers = (texts: string[]): number[] =>
  texts.map((text) =>
    Number(/^(?:split )?line (\d+)$/.exec(text)?.[1] ?? assert.fail(`not a written line: ${text}`)),
  );

const assertEach = (texts: string[], count: number): void => {
  const got = numbers(texts).sort((a, b) => a - b);
  assert.equal(got.length, count);
  assert.deepEqual(
    got,
    Array.from({ length: count }, (_, i) => i),
  );
};

test('what exists is marked backfill, what is new is not, and comes within 250 ms and some', async (t) => {
  const at = await setUp(t);
  fs.mkdirSync(join(at.logs, 'deep/er'), { recursive: true });
  fs.writeFileSync(join(at.logs, 'deep/er/old.log'), 'old 1\n\xff\x00old 2\r\nnot yet ended', 'latin1');
  // The NUL is beyond what is looked at to tell text from binary only in longer files.
  fs.writeFileSync(join(at.logs, 'old.log'), `${'-'.repeat(5000)}\nbytes \x00\x1b[31m\n\n`);
  fs.writeFileSync(join(at.logs, 'wtmp'), 'excluded by name\n');
  fs.writeFileSync(join(at.logs, 'old.log.2.gz'), 'excluded by name\n');
  fs.writeFileSync(join(at.logs, 'holdfast.log'), 'own output\n');
  fs.symlinkSync('/etc/passwd', join(at.logs, 'link.log'));
  fs.mkdirSync(join(at.logs, 'state'));
  fs.writeFileSync(join(at.logs, 'state', 'x.log'), 'own state\n');
  const following = await follow(at, [join(at.logs, 'state')]);
  at.after(() => following.stop());
  await until('the old lines are there', () => at.texts().length >= 3);
  assert.deepEqual(at.texts().sort(), ['', '-'.repeat(5000), 'bytes \x00\x1b[31m'].sort());
  assert.ok(
    at.lines().every((got) => got.meta.backfill === true && got.meta.path === join(at.logs, 'old.log')),
  );
  await until('the binary one was looked at', () => following.source.counts()['binary'] === 1);

  fs.appendFileSync(join(at.logs, 'old.log'), 'new\n');
  await until('the new line is there', () => at.texts().includes('new'));
  const line = at.lines().find((got) => got.raw.toString() === 'new');
  assert.equal(line?.meta.backfill, undefined);
  assert.equal(line?.meta.cursor, `${fs.statSync(join(at.logs, 'old.log')).ino}:5015`);
  fs.writeFileSync(join(at.logs, 'later.log'), 'in a later file\n');
  await until('the later file is there', () => at.texts().includes('in a later file'));

  const took: number[] = [];
  // Others may have the machine for a moment: then another line is tried.
  while (Math.min(...took) >= 500 && took.length < 3) {
    const began = performance.now();
    fs.appendFileSync(join(at.logs, 'old.log'), `soon there ${took.length}\n`);
    await until('it is there', () => at.texts().includes(`soon there ${took.length}`));
    took.push(performance.now() - began);
  }
  assert.ok(Math.min(...took) < 500, `${took.join()} ms`);
});

test('new lines do not wait for the backfill of the same file', async (t) => {
  const at = await setUp(t);
  const old = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'.'.repeat(60)}\n`);
  fs.writeFileSync(join(at.logs, 'big.log'), old.join(''));
  const following = await follow(at);
  at.after(() => following.stop());
  await until('the file is followed', () => following.source.counts()['files'] === 1);
  fs.appendFileSync(join(at.logs, 'big.log'), 'new\n');
  await until('all is there', () => at.texts().length === 20_001);
  const texts = at.texts();
  assert.ok(texts.indexOf('new') < 20_000, 'the new line was not the last to come');
  assert.equal(new Set(texts).size, 20_001);
});

// They mostly wait.
describe('rotation', { concurrency: 4 }, () => {
  test('rotation by renaming under a writer: every line once', async (t) => {
    const at = await setUp(t);
    const path = join(at.logs, 'app.log');
    const child = writer(at, path, 'reopen');
    const following = await follow(at);
    at.after(() => following.stop());
    for (let round = 0; round < 6; round++) {
      await wait(250);
      await until('the writer has a file', () => fs.existsSync(path));
      // What nobody has opened when it is removed is lost to all.
      if (round > 1) {
        const [oldest] = fs.readFileSync(`${path}.2`, 'utf8').split('\n');
        await until('the oldest is open', () => at.texts().includes(oldest ?? ''));
        fs.rmSync(`${path}.2`);
      }
      if (round > 0) fs.renameSync(`${path}.1`, `${path}.2`);
      fs.renameSync(path, `${path}.1`);
    }
    await wait(100);
    const count = await finish(child);
    await until('all is there', () => at.texts().length >= count);
    await wait(300);
    assertEach(at.texts(), count);
  });

  test('copytruncate under a writer: every line once, whether the copy or the truncation is seen first', async (t) => {
    const at = await setUp(t);
    const path = join(at.logs, 'app.log');
    const child = writer(at, path, 'keep');
    const following = await follow(at);
    at.after(() => following.stop());
    await until('the writer has its file', () => fs.existsSync(path));
    for (let round = 0; round < 5; round++) {
      await wait(300);
      // Whoever writes between copying and truncating loses lines to copytruncate itself.
      child.kill('SIGSTOP');
      await until('it stands still', () =>
        /^State:\s+T/m.test(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')),
      );
      if (round > 0) fs.renameSync(`${path}.1`, `${path}.${round + 1}`);
      fs.copyFileSync(path, `${path}.1`);
      if (round % 2 === 0) await wait(400);
      fs.truncateSync(path, 0);
      child.kill('SIGCONT');
    }
    await wait(100);
    const count = await finish(child);
    await until('all is there', () => at.texts().length >= count);
    await wait(2300);
    assertEach(at.texts(), count);
    assert.deepEqual(
      at.lines().filter((got) => got.meta.via === 'self'),
      [],
    );
  });

  test('a file like another one is read from its beginning if that other is not truncated', async (t) => {
    const at = await setUp(t);
    const following = await follow(at);
    at.after(() => following.stop());
    fs.writeFileSync(join(at.logs, 'app.log'), 'the same\n');
    await until('the first is there', () => at.texts().length === 1);
    fs.writeFileSync(join(at.logs, 'app.log.mirror'), 'the same\n');
    await until('the second is there', () => at.texts().length === 2);
  });

  test('truncation without a copy is told as an unknown loss, and a hole at the beginning is no line', async (t) => {
    const at = await setUp(t);
    const path = join(at.logs, 'app.log');
    const following = await follow(at);
    at.after(() => following.stop());
    const fd = fs.openSync(path, 'w');
    at.after(() => fs.closeSync(fd));
    fs.writeSync(fd, 'one\ntwo\n');
    await until('two lines are there', () => at.texts().length === 2);
    fs.truncateSync(path, 0);
    await until('the loss is told', () => at.lines().some((got) => got.meta.via === 'self'));
    fs.writeSync(fd, 'three\n');
    await until('the third is there', () => at.texts().length === 3);
    assert.deepEqual(at.texts(), ['one', 'two', 'three']);
    const told =
      at
        .lines()
        .find((got) => got.meta.via === 'self')
        ?.raw.toString() ?? '';
    assert.match(told, /"kind":"unknown-loss".*"after":8/);
  });

  test('the last line waits for its LF; of a removed or renamed file the rest is sent as it stands', async (t) => {
    const at = await setUp(t);
    const following = await follow(at);
    at.after(() => following.stop());
    for (const name of ['a.log', 'b.log'])
      fs.writeFileSync(join(at.logs, name), `${name} whole\n${name} par`);
    await until('the whole lines are there', () => at.texts().length === 2);
    await wait(400);
    assert.equal(at.texts().length, 2);
    fs.appendFileSync(join(at.logs, 'a.log'), 'tial\na.log rest');
    await until('the ended line is there', () => at.texts().includes('a.log partial'));
    fs.renameSync(join(at.logs, 'a.log'), join(at.logs, 'a.log.1'));
    fs.rmSync(join(at.logs, 'b.log'));
    await until('the rests are there', () => at.texts().length === 5);
    const rests = at.lines().filter((got) => got.meta['unterminated'] === true);
    assert.deepEqual(rests.map((got) => got.raw.toString()).sort(), ['a.log rest', 'b.log par']);
  });

  test('across restarts: appended, renamed, copied and truncated, replaced, removed meanwhile', async (t) => {
    const at = await setUp(t);
    const path = (name: string): string => join(at.logs, name);
    const first = await follow(at);
    at.after(() => first.stop());
    const long = 'x'.repeat(2000);
    for (const name of ['append', 'rename', 'copy', 'replace', 'remove', 'rewrite']) {
      fs.writeFileSync(path(`${name}.log`), `${name} 1 ${long}\n`);
    }
    await until('all six are there', () => at.texts().length === 6);
    await first.stop();

    for (const name of ['append', 'rename', 'copy', 'replace', 'remove'])
      fs.appendFileSync(path(`${name}.log`), `${name} 2\n`);
    fs.renameSync(path('rename.log'), path('rename.log.1'));
    fs.writeFileSync(path('rename.log'), 'rename 3\n');
    fs.copyFileSync(path('copy.log'), path('copy.log.1'));
    fs.truncateSync(path('copy.log'), 0);
    fs.appendFileSync(path('copy.log'), 'copy 3\n');
    fs.copyFileSync(path('replace.log'), path('.replace.new'));
    fs.renameSync(path('.replace.new'), path('replace.log'));
    fs.rmSync(path('remove.log'));
    // Longer than it was: only the bytes before the offset tell.
    fs.writeFileSync(path('rewrite.log'), `rewritten ${long}${long}\n`);

    const second = await follow(at);
    at.after(() => second.stop());
    const due = [
      'append 2',
      'rename 2',
      'rename 3',
      'copy 2',
      'copy 3',
      'replace 2',
      `rewritten ${long}${long}`,
    ];
    await until('the new ones are there', () => at.texts().length >= 6 + due.length);
    const said = (): string[] =>
      at
        .lines()
        .filter((got) => got.meta.via === 'self')
        .map((got) => got.raw.toString());
    await until('both losses are told', () => said().length >= 2);
    await wait(1000);
    assert.deepEqual(at.texts().slice(6).sort(), due.sort());
    const told = said();
    assert.equal(told.length, 2);
    assert.ok(told.some((text) => text.includes('remove.log') && text.includes('removed while nobody')));
    assert.ok(told.some((text) => text.includes('rewrite.log') && text.includes('truncated')));
  });
});

test('a line of more than 16 MiB comes in parts, the same over a restart between them', async (t) => {
  const at = await setUp(t);
  const first = await follow(at);
  at.after(() => first.stop());
  fs.writeFileSync(join(at.logs, 'long.log'), Buffer.concat([Buffer.alloc(16 * 1024 * 1024 + 7, 'ab')]));
  await until('the first part is there', () => at.texts().length === 1);
  await first.stop();
  fs.appendFileSync(join(at.logs, 'long.log'), 'end\nnext\n');
  const second = await follow(at);
  at.after(() => second.stop());
  await until('all is there', () => at.texts().length === 3);
  const lines = at.lines();
  assert.deepEqual(
    lines.map((got) => [got.raw.length, got.meta['part'], got.meta['lastPart']]),
    [
      [16 * 1024 * 1024, 0, undefined],
      [10, 1, true],
      [4, undefined, undefined],
    ],
  );
});

test('what cannot be read is said', async (t) => {
  const at = await setUp(t);
  fs.rmSync(at.logs, { recursive: true });
  const following = await follow(at);
  at.after(() => following.stop());
  await until('it is said', () => following.unseen.length > 0);
  assert.equal(following.unseen[0]?.what, at.logs);
  assert.match(following.unseen[0]?.why ?? '', /ENOENT/);
});
