import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionSupport, parseOsRelease } from './distribution.ts';
import { newestUpgrade } from './dpkg-log.ts';
import { parseDpkgStatus } from './dpkg-status.ts';
import type { SourceEntry } from './sources.ts';

const debian = (version: string, codename: string): string =>
  `ID=debian\nVERSION_ID="${version}"\nVERSION_CODENAME=${codename}\n`;
const source = (uri: string): SourceEntry => ({
  kind: 'deb',
  uri,
  suite: 's',
  components: [],
  enabled: true,
  trusted: false,
  file: 'f',
});
/** No distro-info there, so that the built-in table answers. */
const nowhere = '/nonexistent';

test('phases of support from the built-in table, whose date is shown', () => {
  const support = distributionSupport(nowhere, parseOsRelease(debian('12', 'bookworm')), [], '2026-11-21');
  assert.equal(support?.current, 'LTS');
  assert.match(support.source, /as of \d{4}-\d\d-\d\d/);
  assert.equal(
    distributionSupport(nowhere, parseOsRelease(debian('12', 'bookworm')), [], '2026-07-11')?.current,
    'standard',
  );
});

test('a phase that has to be subscribed to counts only where it is', () => {
  const buster = parseOsRelease(debian('10', 'buster'));
  assert.equal(distributionSupport(nowhere, buster, [], '2026-11-21')?.current, null);
  assert.equal(
    distributionSupport(nowhere, buster, [source('https://deb.freexian.com/extended-lts')], '2026-11-21')
      ?.current,
    'ELTS',
  );
  const focal = parseOsRelease('ID=ubuntu\nVERSION_ID="20.04"\nVERSION_CODENAME=focal\n');
  assert.equal(distributionSupport(nowhere, focal, [], '2026-11-21')?.current, null);
  assert.equal(
    distributionSupport(nowhere, focal, [source('https://esm.ubuntu.com/infra/ubuntu')], '2026-11-21')
      ?.current,
    'ESM',
  );
});

test('an unknown distribution or release is unknown, not supported', () => {
  assert.equal(
    distributionSupport(nowhere, parseOsRelease('ID=fedora\nVERSION_ID=41\n'), [], '2026-11-21'),
    null,
  );
  assert.equal(distributionSupport(nowhere, parseOsRelease(debian('99', 'nosuch')), [], '2026-11-21'), null);
});

test('dpkg status: holds, halves, conffiles left behind, source of a rebuild', () => {
  const packages = parseDpkgStatus(`Package: a
Status: hold ok installed
Architecture: amd64
Source: src-a (1.0)
Version: 1.0+b1
Description: Status: not this
 Package: nor this

Package: b
Status: install ok half-configured
Architecture: all
Version: 2

Package: gone
Status: deinstall ok config-files
Version: 3
`);
  assert.deepEqual(
    packages.map(({ name, want, state, source: from, sourceVersion }) => [
      name,
      want,
      state,
      from,
      sourceVersion,
    ]),
    [
      ['a', 'hold', 'installed', 'src-a', '1.0'],
      ['b', 'install', 'half-configured', 'b', '2'],
    ],
  );
});

test('the newest upgrade in a dpkg log, in the zone of the host', () => {
  const text = `2026-09-22 04:45:23 upgrade linux-libc-dev:amd64 6.1.140-1 6.1.187-1
2026-11-21 00:59:17 status installed libc-bin:amd64 2.36-9+deb12u14
`;
  assert.equal(
    newestUpgrade(text)?.slice(0, 19),
    new Date(2026, 8, 22, 4, 45, 23).toISOString().slice(0, 19),
  );
  assert.equal(newestUpgrade('2026-11-21 00:59:17 install a <none> 1\n'), null);
});
