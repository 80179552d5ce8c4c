import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packageFacts, packageFinder } from './packages.ts';

const database = (t: TestContext, lists: Record<string, string[]>): string => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-dpkg-'));
  t.after(() => rmSync(root, { recursive: true }));
  const info = join(root, 'var/lib/dpkg/info');
  mkdirSync(info, { recursive: true });
  writeFileSync(join(root, 'var/lib/dpkg/status'), '');
  for (const [name, files] of Object.entries(lists))
    writeFileSync(join(info, `${name}.list`), `${files.join('\n')}\n`);
  return root;
};

test('finds packages by path, on a merged /usr too, and by architecture-qualified list', (t) => {
  const root = database(t, {
    'mariadb-server-core': ['/.', '/usr', '/usr/sbin', '/usr/sbin/mariadbd'],
    bash: ['/.', '/bin', '/bin/bash'],
    'libfoo1:amd64': ['/usr/lib/x86_64-linux-gnu/foo/food'],
  });
  const paths = [
    '/usr/sbin/mariadbd',
    '/usr/bin/bash',
    '/usr/lib/x86_64-linux-gnu/foo/food',
    '/usr/sbin/mariadb',
    '/usr/local/sbin/mariadbd',
  ];
  assert.deepEqual(packageFinder().find(paths.map((path) => ({ root, path }))), [
    'mariadb-server-core',
    'bash',
    'libfoo1',
    null,
    null,
  ]);
});

test('a diverted file belongs to the package that it was taken from', (t) => {
  const root = database(t, { original: ['/usr/sbin/thing'], newcomer: ['/usr/sbin/thing'] });
  writeFileSync(join(root, 'var/lib/dpkg/diversions'), '/usr/sbin/thing\n/usr/sbin/thing.real\nnewcomer\n');
  assert.deepEqual(packageFinder().find([{ root, path: '/usr/sbin/thing.real' }]), ['original']);
});

test('remembers, until the database changes', (t) => {
  const root = database(t, { one: ['/usr/sbin/x'] });
  const finder = packageFinder();
  assert.deepEqual(finder.find([{ root, path: '/usr/sbin/x' }]), ['one']);
  const info = join(root, 'var/lib/dpkg/info');
  rmSync(join(info, 'one.list'));
  writeFileSync(join(info, 'two.list'), '/usr/sbin/x\n');
  utimesSync(info, new Date(), new Date(Date.now() + 5000));
  assert.deepEqual(finder.find([{ root, path: '/usr/sbin/x' }]), ['two']);
});

test('a hostile root neither hangs nor leads out', { timeout: 60_000 }, (t) => {
  const root = database(t, { honest: ['/usr/sbin/x'] });
  execFileSync('mkfifo', [join(root, 'var/lib/dpkg/info/trap.list')]);
  symlinkSync('/etc/passwd', join(root, 'var/lib/dpkg/info/link.list'));
  assert.deepEqual(packageFinder().find([{ root, path: '/usr/sbin/x' }]), ['honest']);

  const other = mkdtempSync(join(tmpdir(), 'holdfast-dpkg-'));
  t.after(() => rmSync(other, { recursive: true }));
  mkdirSync(join(other, 'var/lib'), { recursive: true });
  symlinkSync('/var/lib/dpkg', join(other, 'var/lib/dpkg'));
  assert.deepEqual(packageFinder().find([{ root: other, path: '/usr/bin/perl' }]), [null]);
});

test('which packages the system needs', () => {
  const status = [
    'Package: perl-base\nEssential: yes\nStatus: install ok installed\nPriority: required',
    'Package: perl\nStatus: install ok installed\nPriority: standard',
    'Package: libc6\nArchitecture: i386\nPriority: optional',
    'Package: libc6\nArchitecture: amd64\nPriority: required',
    'Package: init\nPriority: optional\nProtected: yes',
  ].join('\n\n');
  const required = (name: string) => packageFacts(`${status}\n`, name).required;
  assert.deepEqual(['perl-base', 'libc6', 'init'].map(required), [true, true, true]);
  assert.deepEqual(['perl', 'base', 'nothing'].map(required), [false, false, false]);
  assert.equal(packageFinder().describe('', 'dpkg').required, true);
});

test('agrees with dpkg -S on this host', () => {
  const paths = ['/usr/bin/perl', '/usr/bin/bash', '/usr/bin/dpkg', '/usr/bin/ss'];
  const found = packageFinder().find(paths.map((path) => ({ root: '', path })));
  for (const [i, path] of paths.entries()) {
    const either = [path, path.slice('/usr'.length)].flatMap((name) => {
      try {
        return [execFileSync('dpkg', ['-S', name], { encoding: 'utf8', stdio: 'pipe' }).split(':')[0]];
      } catch {
        return [];
      }
    });
    assert.ok(either.includes(found[i] ?? ''), `${path}: ${found[i]} against ${either.join(', ')}`);
  }
});
