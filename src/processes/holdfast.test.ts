import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const program = join(import.meta.dirname, 'holdfast.ts');

/** Says on its standard error which modules are loaded. */
const listing = `import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
registerHooks({ load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context); } });`;

test('the command line starts without what only some commands need', () => {
  const hook = `data:text/javascript,${encodeURIComponent(listing)}`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', hook, program, '--help'],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^Usage: holdfast/);
  const rooms = new Set(stderr.split('\n').map((url) => /\/src\/(\w+)\//.exec(url)?.[1]));
  assert.ok(rooms.has('cli'));
  for (const room of ['fix', 'inspect', 'advise', 'search', 'index', 'ship'])
    assert.equal(rooms.has(room), false, `${room} is loaded`);
});
