import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { watchDirectory } from './own-directory.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-index-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a directory that cannot be looked at is not gone: that is said once, and it is looked at again', () => {
  const engine = join(root, 'engine');
  mkdirSync(engine);
  writeFileSync(join(engine, 'status'), '');
  const said: string[] = [];
  let time = 0;
  const watch = watchDirectory(
    root,
    (_severity, text) => said.push(text),
    () => time,
  );
  const gone = (): string | null => {
    time += 1000;
    return watch()?.code ?? null;
  };
  assert.equal(gone(), null);
  renameSync(engine, join(root, 'aside'));
  symlinkSync('engine', engine);
  assert.deepEqual([gone(), gone()], [null, null]);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /cannot be told: ELOOP/);
  rmSync(engine);
  renameSync(join(root, 'aside'), engine);
  assert.equal(gone(), null);
  rmSync(engine, { recursive: true });
  assert.equal(gone(), 'engine-gone');
  assert.equal(said.length, 1);
});
