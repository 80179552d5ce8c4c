import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  holdfast,
  removeState,
  run,
  search,
  startUp,
  temporaryState,
  until,
  type RunningUp,
} from '../harness/up.ts';

/** Who read what, and files that are imported: one `holdfast up`. */
const state = temporaryState();
const files = mkdtempSync(join(tmpdir(), 'holdfast-files-'));
let up: RunningUp;

before(async () => {
  up = await startUp(state, ['--no-agent']);
});
after(async () => {
  await up.interrupt();
  removeState(state);
  rmSync(files, { recursive: true, force: true });
});

const lines = Array.from(
  { length: 500 },
  (_, i) =>
    `Dec 31 23:5${Math.floor(i / 60) % 10}:${String(i % 60).padStart(2, '0')} web1 app[7]: imported ${i}`,
);
const content = `${lines.join('\n')}\nJan  1 00:00:01 web1 app[7]: imported after midnight\nat no.time(of its own)\n`;
const put = (name: string, bytes: string | Buffer): string => {
  const path = join(files, name);
  writeFileSync(path, bytes);
  utimesSync(path, 1_672_620_000, 1_672_620_000);
  return path;
};
const importFiles = (...args: string[]) => run('logs', 'import', '--state', state.root, ...args);
const countOf = (query: string): number => search(state, query, 0).answer.count;

test('what is imported keeps its times, names its file, and is found once however often it is imported', async () => {
  const path = put('syslog.1', content);
  const first = importFiles(path);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /syslog\.1: 502 lines, \d+ bytes/);
  await until('it is found', () => countOf('via:import') === 502);
  const [midnight] = search(state, 'via:import "after midnight"').hits;
  assert.deepEqual(
    [midnight?.time, midnight?.host, midnight?.app, midnight?.fields['path'], midnight?.fields['position']],
    ['2023-01-01T00:00:01.000000Z', 'web1', 'app', path, '501'],
  );
  assert.equal(search(state, 'via:import "imported 0"').hits[0]?.time, '2022-12-31T23:50:00.000000Z');
  const [undated] = search(state, 'via:import "of its own"').hits;
  assert.deepEqual([undated?.claimed, undated?.time], [null, '2023-01-02T00:40:00.000000Z']);

  assert.equal(importFiles(put('syslog.2.gz', gzipSync(content))).status, 0);
  const said = () => search(state, 'app:holdfast kind=import outcome=complete').hits;
  await until('both are told of', () => said().length === 2);
  assert.equal(said()[0]?.fields['uid'], String(process.getuid?.()));
  assert.equal(countOf('via:import'), 502);
  assert.equal(countOf('conflicting_number=*'), 0);
});

test('an import that is killed is made whole by another, and nothing is there twice', async () => {
  const piped = content.replaceAll('imported', 'piped');
  const child = spawn(holdfast, ['logs', 'import', '--state', state.root, '--host', 'piper', '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The rest never comes: more than is sent together has to be on its way before the kill.
  const rest = Array.from(
    { length: 10_000 },
    (_, i) => `Dec 31 23:59:59 web1 app[7]: piped more ${i} ${'.'.repeat(60)}\n`,
  );
  child.stdin.on('error', () => undefined);
  child.stdin.write(piped + rest.join(''));
  await until('a part of it is found', () => countOf('piped') > 0);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const whole = put('whole', piped + rest.join(''));
  assert.equal(importFiles('--host', 'piper', whole).status, 0);
  await until('all of it is found', () => countOf('piped') >= 10_501);
  assert.equal(countOf('piped'), 10_501);
});

test('what cannot be read to its end is imported up to there, and exits 1; nothing that could be read, 3', async () => {
  const packed = gzipSync(content.replaceAll('imported', 'shortened'));
  const { status, stderr } = importFiles(put('cut.gz', packed.subarray(0, packed.length - 300)));
  assert.equal(status, 1);
  const last = Number(
    /lines 1 to (\d+) were imported, and nothing after that: .*unexpected end of file/.exec(stderr)?.[1],
  );
  assert.ok(last > 0 && last < 502, stderr);
  await until('so much is found', () => countOf('shortened') >= last);
  assert.equal(countOf('shortened'), last);
  assert.equal(importFiles(join(files, 'missing')).status, 3);
  const unread = importFiles(put('begun.gz', packed.subarray(0, 5)));
  assert.equal(unread.status, 3);
  assert.match(unread.stderr, /nothing of it was imported: .*unexpected end of file/);
  assert.equal(run('logs', 'import', '--state', files, join(files, 'cut.gz')).status, 3, 'nobody takes it');
});

test('each read is a line: who, what, how many lines, and how it ended', async () => {
  const token = 'whoreadthis';
  run('logs', 'search', '--state', state.root, '--limit', '3', `via:import imported -${token}`);
  run('logs', 'browse', '--state', state.root, '2022-12-31');
  const tail = spawn(holdfast, ['logs', 'tail', '--state', state.root, `${token} OR imported`]);
  await once(tail.stdout, 'data');
  tail.kill('SIGINT');
  await once(tail, 'exit');
  const link = /http:\S+\/\?token=\S+/.exec(up.output())?.[0] ?? '';
  const base = new URL(link).origin;
  const opened = await fetch(link, { redirect: 'manual' });
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const answered = await fetch(`${base}/api/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify({ query: `via:import ${token} OR imported`, limit: 2 }),
  });
  assert.equal(answered.status, 200);
  await answered.text();

  const reads = () => search(state, 'app:holdfast kind=read').hits.map(({ fields }) => fields);
  const of = (read: string, word: string) =>
    reads().filter((fields) => fields['read'] === read && JSON.stringify(fields).includes(word));
  await until('the console’s read is there', () => of('search', token).length >= 2);
  await until('the end of the tail is there', () => of('tail', token).length === 2);
  const [byCommand, byConsole] = of('search', token);
  assert.deepEqual(
    [byCommand?.['uid'], byCommand?.['lines'], byCommand?.['outcome'], byCommand?.['asked.limit']],
    [String(process.getuid?.()), '3', 'answered', '3'],
  );
  assert.deepEqual(
    [byConsole?.['uid'], byConsole?.['lines'], byConsole?.['outcome']],
    [String(up.ready().processes['console']?.uid), '2', 'answered'],
  );
  assert.match(byConsole?.['for.session'] ?? '', /^[0-9a-f]{12}$/);
  assert.match(byConsole?.['for.peer'] ?? '', /^127\.0\.0\.1:\d+$/);
  assert.equal(of('browse', '2022-12-31').length, 1);
  const [begun, left] = of('tail', token);
  assert.deepEqual([begun?.['outcome'], left?.['outcome']], ['begun', 'reader left']);
  assert.equal(begun?.['reading'], left?.['reading']);
  assert.ok(Number(left?.['lines']) > 0);
});
