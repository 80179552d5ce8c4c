import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { defaultCacheDirectory, fingerprint, recall, remember } from './simulation-cache.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-cache-'));
chmodSync(directory, 0o755);
after(() => {
  rmSync(directory, { recursive: true });
});

const answer = {
  upgrade: 'Inst a [1] (2 x)\n',
  distUpgrade: '',
  policy: '',
  depends: '',
  upgradeError: null,
  unreadable: null,
};

test('an answer is recalled for its own question, and for no other', () => {
  const cache = join(directory, 'cache');
  remember(cache, 'f', answer);
  assert.deepEqual(recall(cache, 'f'), answer);
  assert.equal(recall(cache, 'g'), null);
  assert.deepEqual(readdirSync(cache), ['apt-simulation']);
});

test('a cache that cannot be written, read or cleaned up is none', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  remember(join(file, 'holdfast'), 'f', answer);
  assert.equal(recall(join(file, 'holdfast'), 'f'), null);
  // The temporary file's own name is taken by a directory: it can be neither opened nor removed.
  const taken = join(directory, 'taken');
  mkdirSync(join(taken, `apt-simulation.${process.pid}.new`), { recursive: true });
  remember(taken, 'f', answer);
  assert.equal(recall(taken, 'f'), null);
});

test('the cache of an ordinary user is where the XDG specification puts it', () => {
  assert.equal(defaultCacheDirectory({}, 0), '/var/cache/holdfast');
  assert.equal(defaultCacheDirectory({ XDG_CACHE_HOME: '/c' }, 7), '/c/holdfast');
  assert.notEqual(
    defaultCacheDirectory({ XDG_CACHE_HOME: 'relative' }, 7),
    'relative/holdfast',
    'a relative path does not count',
  );
});

const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

/** Runs as nobody, with `root` and `home` as it finds them. */
const asNobody = (home: string, code: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    uid: 65534,
    gid: 65534,
    cwd: '/',
    encoding: 'utf8',
    env: { HOME: home, PATH: process.env['PATH'] ?? '' },
  });

test('a home, package settings and a boot directory that may not be entered end no examination', (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to become nobody');
  if (asNobody('/', `await import(${url('./index.ts')})`).status !== 0)
    return t.skip('nobody may not read this checkout');
  const home = join(directory, 'home');
  mkdirSync(join(home, '.cache'), { recursive: true });
  const root = join(directory, 'root');
  for (const closed of ['etc/apt/preferences.d', 'boot', 'var/lib/dpkg/updates'])
    mkdirSync(join(root, closed), { recursive: true });
  writeFileSync(join(root, 'var/lib/dpkg/status'), '');
  for (const closed of [
    home,
    join(root, 'etc/apt/preferences.d'),
    join(root, 'boot'),
    join(root, 'var/lib/dpkg/updates'),
  ])
    chmodSync(closed, 0o700);

  const { status, stdout, stderr } = asNobody(
    home,
    `const [{ defaultCacheDirectory, remember, recall }, { collectPatches }, { systemClock }] = await Promise.all([
      import(${url('./simulation-cache.ts')}), import(${url('./index.ts')}), import(${url('../../base/clock.ts')})]);
    const cache = defaultCacheDirectory(process.env, process.getuid());
    remember(cache, 'f', ${JSON.stringify(answer)});
    const paths = { proc: '/proc', sys: '/sys', root: ${JSON.stringify(root)} };
    const report = await collectPatches({ clock: systemClock(), paths });
    console.log(JSON.stringify([cache, recall(cache, 'f'), report.kernel.verdict, report.couldNotLook.map(({ what }) => what)]));`,
  );
  assert.equal(status, 0, stderr);
  const seen: unknown = JSON.parse(stdout);
  assert.ok(Array.isArray(seen));
  assert.deepEqual(seen.slice(0, 3), [join(home, '.cache/holdfast'), null, 'unknown']);
  const gaps = String(seen[3]);
  assert.match(gaps, /kernel images in \/boot/);
  assert.match(gaps, /whether dpkg was interrupted/);
});

test('what may not be listed has a fingerprint all the same', () => {
  assert.match(fingerprint(join(directory, 'nowhere')), /^[0-9a-f]{64}$/);
});
