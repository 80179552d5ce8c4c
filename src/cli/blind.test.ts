import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const holdfast = join(import.meta.dirname, '..', '..', 'bin', 'holdfast');

/** Runs a command line in a mount namespace of its own, in which these directories are empty. */
const without = (hidden: readonly string[], args: readonly string[]) =>
  spawnSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      `${hidden.map((path) => `mount -t tmpfs none ${path} && `).join('')}exec "$0" "$@"`,
      holdfast,
      ...args,
    ],
    { encoding: 'utf8' },
  );

const skip =
  spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /proc']).status === 0
    ? false
    : 'needs root, on a machine that lets root make mount namespaces';

for (const command of [
  ['services', 'list'],
  ['services', 'users'],
  ['isolation', 'show'],
]) {
  test(`'${command.join(' ')}' exits 3 where nothing can be seen, and says what would help`, { skip }, () => {
    const human = without(['/proc'], command);
    assert.equal(human.status, 3, human.stderr);
    assert.match(human.stderr, /COULD NOT LOOK[\s\S]*mount a procfs/);
    assert.doesNotMatch(human.stdout, /nobody/);
    const { status, stdout } = without(['/proc'], [...command, '--json']);
    assert.equal(status, 3);
    assert.ok(JSON.parse(stdout).couldNotLook.length > 0);
  });
}

test('a section that could not be looked at is headed so', { skip }, () => {
  const { status, stdout } = without(['/proc'], ['audit']);
  assert.equal(status, 0, 'patches could be looked at');
  assert.match(stdout, /^SERVICES {2}COULD NOT LOOK/m);
  assert.match(stdout, /^ISOLATION {2}COULD NOT LOOK/m);
});

test('an audit that could look at nothing exits 3', { skip }, () => {
  const { status, stdout } = without(['/var/log', '/var/lib/dpkg', '/proc'], ['audit']);
  assert.equal(status, 3, stdout);
  assert.equal(stdout.match(/^[A-Z]+ {2}COULD NOT LOOK/gm)?.length, 4);
});
