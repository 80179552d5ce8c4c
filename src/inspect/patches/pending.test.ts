import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '#base/clock';
import { collectPatches } from './index.ts';
import type { PatchesReport, PendingUpgrade } from './report.ts';

/**
 * The host's own apt, asked about a small system of its own: packages and archives are made up, so that every reason
 * for keeping a package back occurs; what apt makes of them is real.
 */
const root = mkdtempSync(join(tmpdir(), 'holdfast-apt-'));
chmodSync(root, 0o755);
after(() => rmSync(root, { recursive: true }));
const write = (path: string, text: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};

const installed: [string, string, string?][] = [
  ['plain', '1.0'],
  ['superseded', '1.0'],
  ['held', '1.0', 'hold'],
  ['pinned', '1.0'],
  ['phased', '1.0'],
  ['needs-new', '1.0'],
  ['drives-out', '1.0'],
  ['driven-out', '1.0'],
  ['needs-held', '1.0'],
  ['fresh', '3.0'],
];
const stanza = (name: string, version: string, extra = ''): string =>
  `Package: ${name}\nArchitecture: all\nVersion: ${version}\nMaintainer: nobody\n${extra}Description: ${name}\n`;
const status = installed
  .map(([name, version, want = 'install']) => stanza(name, version, `Status: ${want} ok installed\n`))
  .join('\n');
const indexed = (name: string, version: string, extra = ''): string =>
  stanza(
    name,
    version,
    `Filename: pool/${name}_${version}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n${extra}`,
  );
const release = (label: string, suite: string, codename: string, date: string): string =>
  `Origin: Debian\nLabel: ${label}\nSuite: ${suite}\nCodename: ${codename}\nDate: ${date}\nArchitectures: amd64 arm64 all\nComponents: main\n`;
const lists = 'var/lib/apt/lists';
const main = `${lists}/archive.test_debian_dists_bookworm`;
const security = `${lists}/archive.test_security_dists_bookworm-security`;
write('etc/machine-id', `${'0123456789abcdef'.repeat(2)}\n`);
write(
  'etc/os-release',
  'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
);
write(
  'etc/apt/sources.list',
  'deb [trusted=yes] http://archive.test/debian bookworm main\ndeb [trusted=yes] http://archive.test/security bookworm-security main\n',
);
write('etc/apt/preferences.d/pinned', 'Package: pinned\nPin: version 2.0\nPin-Priority: -1\n');
mkdirSync(join(root, 'etc/apt/apt.conf.d'), { recursive: true });
mkdirSync(join(root, lists, 'partial'), { recursive: true });
mkdirSync(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
write('var/lib/dpkg/status', status);
write(`${main}_Release`, release('Debian', 'oldstable', 'bookworm', 'Sat, 11 Jul 2026 10:16:37 UTC'));
write(
  `${security}_Release`,
  release('Debian-Security', 'oldstable-security', 'bookworm-security', 'Wed, 18 Nov 2026 22:17:41 UTC'),
);
const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };
const binary = architectures[process.arch] ?? process.arch;
write(
  `${main}_main_binary-${binary}_Packages`,
  [
    indexed('superseded', '3.0'),
    indexed('held', '2.0'),
    indexed('pinned', '2.0'),
    indexed('phased', '2.0', 'Phased-Update-Percentage: 0\n'),
    indexed('needs-new', '2.0', 'Depends: brought-in\n'),
    indexed('brought-in', '1.0'),
    indexed('drives-out', '2.0', 'Conflicts: driven-out\n'),
    indexed('needs-held', '2.0', 'Depends: held (>= 2.0)\n'),
    indexed('fresh', '3.0'),
  ].join('\n'),
);
write(
  `${security}_main_binary-${binary}_Packages`,
  [indexed('plain', '1.1'), indexed('superseded', '2.0')].join('\n'),
);

const apt =
  statSync('/usr/bin/apt-get', { throwIfNoEntry: false }) === undefined
    ? { skip: 'apt is not installed' }
    : {};
const collect = (cacheDir: string | null = null): Promise<PatchesReport> =>
  collectPatches({ clock: systemClock(), cacheDir, paths: { proc: '/proc', sys: '/sys', root } });
const pendingOf = (report: PatchesReport): Map<string, PendingUpgrade> => {
  assert.equal(report.upgrades.result, 'found', JSON.stringify(report.upgrades));
  return new Map(
    report.upgrades.result === 'found' ? report.upgrades.value.map((each) => [each.package, each]) : [],
  );
};

test('says what is pending, what of it is security, and why the rest is kept back', apt, async () => {
  const report = await collect();
  const pending = pendingOf(report);
  const reasonOf = (name: string): string | undefined => pending.get(name)?.keptBack?.reason;

  assert.equal(pending.get('plain')?.keptBack, null);
  assert.equal(pending.get('plain')?.security, true);
  assert.equal(pending.get('plain')?.publicBy, '2026-11-18T22:17:41.000000Z');

  assert.equal(pending.get('superseded')?.candidate, '3.0');
  assert.equal(
    pending.get('superseded')?.security,
    true,
    'a security version lies between installed and candidate',
  );
  assert.deepEqual(pending.get('superseded')?.securityVersions, ['2.0']);

  assert.equal(pending.get('held')?.security, false);
  assert.equal(reasonOf('held'), 'hold');
  assert.equal(reasonOf('pinned'), 'pin');
  assert.equal(pending.get('pinned')?.candidate, '2.0');
  assert.equal(reasonOf('needs-held'), 'related');
  assert.match(pending.get('needs-held')?.keptBack?.detail ?? '', /held/);

  assert.equal(reasonOf('needs-new'), 'needs changes');
  assert.deepEqual(pending.get('needs-new')?.keptBack?.installs, ['brought-in']);
  assert.deepEqual(pending.get('needs-new')?.keptBack?.removes, []);
  assert.deepEqual(pending.get('drives-out')?.keptBack?.removes, ['driven-out']);
  assert.deepEqual(pending.get('drives-out')?.keptBack?.installs, []);

  assert.equal(pending.has('fresh'), false);
  assert.equal(pending.has('driven-out'), false);
  assert.deepEqual(report.packages?.held, ['held']);
  assert.deepEqual(report.lists?.missing, []);
  assert.equal(report.distribution?.version, '12');
});

test('asks apt about phasing', apt, async () => {
  const phased = pendingOf(await collect()).get('phased');
  assert.equal(phased?.keptBack?.reason, 'phasing');
  assert.match(phased.keptBack.detail, /0 %/);
});

test(
  'a pin that only root may read changes the answer: it is read, or the report says that it was not',
  apt,
  async () => {
    const pin = join(root, 'etc/apt/preferences.d/pinned');
    chmodSync(pin, 0o600);
    try {
      const report = await collect();
      if (process.getuid?.() === 0) assert.equal(pendingOf(report).get('pinned')?.keptBack?.reason, 'pin');
      else assert.ok(report.couldNotLook.some(({ why }) => why.includes('Permission denied')));
    } finally {
      chmodSync(pin, 0o644);
    }
  },
);

test(
  'apt is asked once for the same state, and again when anything that decides its answer changes',
  apt,
  async () => {
    const cache = join(root, 'cache');
    assert.equal((await collect(cache)).simulation?.cached, false);
    const second = await collect(cache);
    assert.equal(second.simulation?.cached, true);
    assert.ok(pendingOf(second).size > 5);

    write('etc/apt/preferences.d/another', 'Package: plain\nPin: version 1.1\nPin-Priority: -1\n');
    const third = await collect(cache);
    assert.equal(third.simulation?.cached, false);
    assert.equal(pendingOf(third).get('plain')?.keptBack?.reason, 'pin');
    assert.equal(
      pendingOf(third).get('plain')?.security,
      true,
      'a security update that a pin holds off is still one',
    );
    rmSync(join(root, 'etc/apt/preferences.d/another'));

    await collect(cache);
    const path = join(cache, 'apt-simulation');
    writeFileSync(path, 'damaged');
    assert.equal((await collect(cache)).simulation?.cached, false);
    assert.equal((await collect(cache)).simulation?.cached, true);
    chmodSync(path, 0o666);
    assert.equal((await collect(cache)).simulation?.cached, false, 'what others may write is not believed');
  },
);

test('without lists, or without dpkg, it could not look; that is not clean', async () => {
  const bare = mkdtempSync(join(tmpdir(), 'holdfast-bare-'));
  const look = (): Promise<PatchesReport> =>
    collectPatches({
      clock: systemClock(),
      cacheDir: null,
      paths: { proc: '/proc', sys: '/sys', root: bare },
    });
  try {
    const without = await look();
    assert.equal(without.packageManager, 'other');
    assert.equal(without.upgrades.result, 'could-not-look');

    mkdirSync(join(bare, 'var/lib/dpkg'), { recursive: true });
    mkdirSync(join(bare, 'etc/apt'), { recursive: true });
    writeFileSync(join(bare, 'var/lib/dpkg/status'), status);
    writeFileSync(join(bare, 'etc/apt/sources.list'), 'deb http://archive.test/debian bookworm main\n');
    const listless = await look();
    assert.equal(listless.packageManager, 'dpkg');
    assert.equal(listless.upgrades.result, 'could-not-look');
    assert.ok(
      listless.couldNotLook.some(
        ({ what, remedy }) => what === 'pending upgrades' && remedy.includes('apt-get update'),
      ),
    );
  } finally {
    rmSync(bare, { recursive: true });
  }
});

test('a source without a list is named', apt, async () => {
  const sources = join(root, 'etc/apt/sources.list.d/third.sources');
  write(
    'etc/apt/sources.list.d/third.sources',
    'Types: deb\nURIs: https://third.test/a_b\nSuites: stable\nComponents: main\n',
  );
  try {
    const report = await collect();
    assert.deepEqual(report.lists?.missing, ['https://third.test/a_b stable']);
    assert.ok(report.couldNotLook.some(({ what }) => what.includes('third.test')));
  } finally {
    rmSync(sources);
  }
});
