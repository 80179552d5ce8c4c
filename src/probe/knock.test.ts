import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const able = spawnSync('unshare', ['--net', 'true']).status === 0;
const skip = process.geteuid?.() === 0 && able ? false : 'needs root and namespaces';

for (const protocol of ['tcp', 'udp'])
  test(`${protocol}: where no way leads to the address, the answer is that`, { skip }, () => {
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--net', process.execPath, join(import.meta.dirname, 'knock.ts'), protocol, '192.0.2.9', '137'],
      { encoding: 'utf8', env: { NODE_OPTIONS: '--disable-warning=ExperimentalWarning' } },
    );
    assert.deepEqual([stdout, stderr], ['unreachable\n', '']);
  });
