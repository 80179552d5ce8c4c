import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const program = join(import.meta.dirname, 'holdfast.ts');
const starter = join(import.meta.dirname, '..', '..', 'bin', 'holdfast');

/** Says on its standard error which modules are loaded. */
const listing = `import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
registerHooks({ load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context); } });`;

const run = (...words: string[]) => {
  const hook = `data:text/javascript,${encodeURIComponent(listing)}`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', hook, program, ...words],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return { stdout, modules: stderr.split('\n') };
};

test('the command line starts without what only some commands need', () => {
  const { stdout, modules } = run('--help');
  assert.match(stdout, /^Usage: holdfast/);
  const rooms = new Set(modules.map((url) => /\/src\/(\w+)\//.exec(url)?.[1]));
  assert.ok(rooms.has('cli'));
  for (const room of ['fix', 'inspect', 'advise', 'search', 'index', 'ship', 'wire'])
    assert.equal(rooms.has(room), false, `${room} is loaded`);
  assert.equal(
    modules.some((url) => url.includes('/node_modules/zod/')),
    false,
  );
});

test('a command is loaded alone, and a noun with its verbs', () => {
  const verbs = (modules: readonly string[]): string[] =>
    modules.flatMap((url) => /\/src\/cli\/(logs\/(?:search|tail|sql))\.ts/.exec(url)?.[1] ?? []).toSorted();
  assert.deepEqual(verbs(run('logs', 'tail', '--help').modules), ['logs/tail']);
  for (const words of [['logs'], ['logs', '--help'], ['help', 'logs']])
    assert.deepEqual(verbs(run(...words).modules), ['logs/search', 'logs/sql', 'logs/tail'], words.join(' '));
});

test('what cannot be written is told, and is not done; a reader that goes away is no fault', () => {
  const into = (target: string) =>
    spawnSync('sh', ['-c', `"$0" services list --all --json ${target}`, starter], { encoding: 'utf8' });
  const full = into('> /dev/full');
  assert.equal(full.status, 3, full.stderr);
  assert.match(full.stderr, /could not be written, .* not whole: ENOSPC/);
  assert.equal(into('> /dev/full 2>&1').status, 3);
  assert.doesNotMatch(into('| true').stderr, /could not be written/);
});

const nobody = 65534;
const isRoot = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

test(
  'compiled modules are kept where nobody but the user writes',
  { skip: isRoot ? false : 'it takes root and mount namespaces' },
  (t) => {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-starter-'));
    t.after(() => rmSync(home, { recursive: true }));
    const modules = join(home, 'node_modules');
    const node = join(modules, 'node-linux-here', 'bin', 'node');
    mkdirSync(join(home, 'bin'));
    mkdirSync(join(node, '..'), { recursive: true });
    for (const open of [home, modules]) chownSync(open, nobody, nobody);
    copyFileSync(starter, join(home, 'bin', 'holdfast'));
    writeFileSync(node, '#!/bin/sh\necho "$NODE_COMPILE_CACHE"\n', { mode: 0o755 });
    const asUser =
      'mount -t tmpfs -o mode=755 cache /var/cache; eval "$0"; exec setpriv --reuid="$1" --regid="$1" --clear-groups "$2"';
    const keptBy = (uid: number, before = 'true', HOME = home): string =>
      spawnSync(
        'unshare',
        ['--mount', 'sh', '-ec', asUser, before, String(uid), join(home, 'bin', 'holdfast')],
        { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME } },
      ).stdout.trim();

    const beside = join(modules, '.cache', 'holdfast-compiled');
    assert.equal(keptBy(nobody), beside);
    assert.deepEqual([statSync(beside).uid, statSync(beside).mode & 0o777], [nobody, 0o700]);
    assert.equal(keptBy(0), '/var/cache/holdfast/compiled', 'root runs what nobody could have written');
    const readOnly = `mount --bind ${home} ${home}; mount -o remount,bind,ro ${home}`;
    assert.equal(keptBy(nobody, readOnly), '', 'HOME is read-only too');
    assert.equal(
      keptBy(nobody, `${readOnly}; mount -t tmpfs -o mode=777 tmp /mnt`, '/mnt'),
      '/mnt/.cache/holdfast/compiled',
    );
    for (const open of [beside, join(beside, '..'), modules])
      for (const mode of [0o770, 0o707]) {
        chmodSync(open, mode);
        assert.equal(keptBy(nobody, 'true', '/nonexistent'), '', `others write to ${open}`);
        chmodSync(open, 0o755);
      }
    assert.equal(keptBy(nobody, 'true', '/nonexistent'), beside);
    const above = 'mkdir -m 777 /var/cache/holdfast; mkdir -m 700 /var/cache/holdfast/compiled';
    assert.equal(keptBy(0, above), '', 'others could put another one in its place');
    chownSync(beside, 0, 0);
    const planted = `mkdir -p ${home}/.cache/holdfast/compiled`;
    assert.equal(keptBy(nobody, planted), '', 'neither is its own');
  },
);
