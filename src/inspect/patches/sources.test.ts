import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSecurityArchive, listPrefix } from './archive-lists.ts';
import { parsePolicy } from './policy.ts';
import { parseDeb822, parseOneLine } from './sources.ts';

test('both formats of source entries', () => {
  assert.deepEqual(
    parseOneLine('# no\ndeb [arch=amd64 trusted=yes] http://x/debian bookworm main contrib # why\n', 'f'),
    [
      {
        kind: 'deb',
        uri: 'http://x/debian',
        suite: 'bookworm',
        components: ['main', 'contrib'],
        enabled: true,
        trusted: true,
        file: 'f',
      },
    ],
  );
  const entries = parseDeb822(
    'Types: deb deb-src\n# comment\nURIs: http://x/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By:\n -----BEGIN PGP-----\n .\n x\n\nEnabled: no\nTypes: deb\nURIs: http://y\nSuites: ./\n',
    'f',
  );
  assert.deepEqual(
    entries.map(({ kind, uri, suite, enabled }) => [kind, uri, suite, enabled]),
    [
      ['deb', 'http://x/debian', 'bookworm', true],
      ['deb', 'http://x/debian', 'bookworm-updates', true],
      ['deb-src', 'http://x/debian', 'bookworm', true],
      ['deb-src', 'http://x/debian', 'bookworm-updates', true],
      ['deb', 'http://y', './', false],
    ],
  );
});

test('list names as apt makes them', () => {
  assert.equal(
    listPrefix({ uri: 'http://deb.debian.org/debian', suite: 'bookworm' }),
    'deb.debian.org_debian_dists_bookworm',
  );
  assert.equal(
    listPrefix({ uri: 'https://user:key@h.test:8080/a_b/', suite: 'buster/updates' }),
    'h.test:8080_a%5fb_dists_buster_updates',
  );
  assert.equal(listPrefix({ uri: 'http://h.test/flat', suite: './' }), 'h.test_flat_.');
});

const is = (uri: string, suite: string): boolean => isSecurityArchive({ uri, suite }, null);

test('security archives of Debian, Ubuntu, ESM and Freexian', () => {
  assert.ok(is('http://security.debian.org/debian-security', 'buster/updates'));
  assert.ok(is('http://archive.ubuntu.com/ubuntu', 'noble-security'));
  assert.ok(is('https://esm.ubuntu.com/infra/ubuntu', 'focal-infra-security'));
  assert.ok(is('https://deb.freexian.com/extended-lts', 'buster-lts'));
  assert.equal(is('http://archive.ubuntu.com/ubuntu', 'noble-updates'), false);
});

test('the version table of apt-cache policy, with phasing, pins and priorities of four digits', () => {
  const [fwupd, nodejs] = parsePolicy(`fwupd:
  Installed: 1.7.5-3
  Candidate: 1.7.9-1~22.04.1
  Version table:
     1.7.9-1~22.04.1 500 (phased 30%)
        500 http://de.archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
 *** 1.7.5-3 500
        500 http://de.archive.ubuntu.com/ubuntu jammy/main amd64 Packages
        100 /var/lib/dpkg/status
nodejs:
  Installed: (none)
  Candidate: 20.1
  Version table:
     20.1 1001
       1001 https://deb.nodesource.com/node_20.x nodistro/main amd64 Packages
     18.20 -10
        -10 http://security.debian.org/debian-security buster/updates/main amd64 Packages
`);
  assert.equal(fwupd?.versions[0]?.phasedPercent, 30);
  assert.equal(fwupd?.installed, '1.7.5-3');
  assert.deepEqual(fwupd?.versions[1]?.archives, [
    { priority: 500, uri: 'http://de.archive.ubuntu.com/ubuntu', suite: 'jammy' },
  ]);
  assert.equal(nodejs?.installed, null);
  assert.deepEqual(nodejs?.versions[0]?.archives, [
    { priority: 1001, uri: 'https://deb.nodesource.com/node_20.x', suite: 'nodistro' },
  ]);
  assert.deepEqual(nodejs?.versions[1]?.archives, [
    { priority: -10, uri: 'http://security.debian.org/debian-security', suite: 'buster/updates' },
  ]);
});
