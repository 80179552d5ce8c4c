import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { lockFile } from './file-lock.ts';

const directory = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-lock-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
};

describe('a file lock', () => {
  it('has one holder at a time, in one process too, and is free after release', async (t) => {
    const path = join(directory(t), 'lock');
    const first = await lockFile(path);
    assert.ok(first !== null);
    assert.equal(await lockFile(path, 120), null);
    first.release();
    first.release();
    const second = await lockFile(path);
    assert.ok(second !== null);
    second.release();
    const { size, mode } = statSync(path);
    assert.deepEqual([size, mode & 0o777], [0, 0o600]);
  });

  it('is another process’s until that ends, even by SIGKILL; who waits then gets it', async (t) => {
    const path = join(directory(t), 'lock');
    const code = `import { lockFile } from ${JSON.stringify(join(import.meta.dirname, 'file-lock.ts'))};
      if ((await lockFile(${JSON.stringify(path)})) !== null) process.stdout.write('held');
      globalThis.gc(); setInterval(() => globalThis.gc(), 10);`;
    const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module-typescript', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => holder.kill('SIGKILL'));
    assert.equal(String((await once(holder.stdout, 'data'))[0]), 'held');
    assert.equal(await lockFile(path, 200), null);
    setTimeout(() => holder.kill('SIGKILL'), 100);
    const lock = await lockFile(path, 60_000);
    assert.ok(lock !== null);
    lock.release();
  });

  it('says what is wrong where it cannot be taken at all', async (t) => {
    const dir = directory(t);
    await assert.rejects(lockFile(join(dir, 'none', 'lock')), { code: 'ENOENT' });
    const other = join(dir, 'other');
    writeFileSync(other, 'something else than an empty file, and longer than a header of SQLite '.repeat(9));
    await assert.rejects(lockFile(other, 5000), { code: 'ERR_SQLITE_ERROR' });
  });
});
