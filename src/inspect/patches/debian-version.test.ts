import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareDebianVersions } from './debian-version.ts';
import { runCommand } from './command.ts';

const olderThan: [string, string][] = [
  ['1.0~rc1', '1.0'],
  ['1.0', '1.0-1'],
  ['9', '10'],
  ['1:1.0', '2:0.1'],
  ['2.0', '1:1.0'],
  ['3.0.19-1~deb12u2', '3.0.22-1~deb12u2'],
  ['5.2.15-2+b8', '5.2.15-2+b13'],
  ['1.0-1~bpo12+1', '1.0-1'],
  ['6.1.0-9-amd64', '6.1.0-37-amd64'],
  ['1.2.3', '1.2.a'],
  ['1.2a', '1.2+'],
];

test('orders versions as dpkg does', async (t) => {
  for (const [older, newer] of olderThan) {
    assert.ok(compareDebianVersions(older, newer) < 0, `${older} < ${newer}`);
    assert.ok(compareDebianVersions(newer, older) > 0, `${newer} > ${older}`);
    assert.equal(compareDebianVersions(newer, newer), 0);
  }
  assert.equal(compareDebianVersions('1.0', '0:1.0'), 0);
  assert.equal(compareDebianVersions('1.00-1', '1.0-01'), 0);
  await t.test('and so says dpkg itself', async (inner) => {
    for (const [older, newer] of olderThan) {
      const outcome = await runCommand('dpkg', ['--compare-versions', older, 'lt', newer]);
      if (!outcome.ran) return inner.skip('dpkg is not installed');
      assert.equal(outcome.status, 0, `dpkg: ${older} lt ${newer}`);
    }
  });
});
