import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alternativesOf, changedAlternatives, chooseAgain, type Alternative } from './alternatives.ts';
import { programs } from './programs.fixture.ts';

const by = `case $1:$2 in
  --get-selections:) printf 'editor auto /bin/nano\\nftp manual /bin/door\\ndoor.sock auto /run/door.sock\\n';;
  --query:ftp) printf 'Name: ftp\\nLink: /usr/bin/ftp\\n\\nAlternative: /bin/other\\nPriority: 9\\n\\nAlternative: /bin/door\\nPriority: 1\\n';;
  --query:*) printf 'Alternative: /bin/nano\\n';;
esac`;

const dpkg = `case "$*" in
  *listfiles*) printf '/bin\\n/bin/door\\n';;
  *postinst) echo 'update-alternatives --install /run/x.sock door.sock "/run/door.sock" 1';;
  *prerm) echo 'echo editor';;
  *) exit 1;;
esac`;

const mine: Alternative[] = [
  { name: 'ftp', mode: 'manual', value: '/bin/door' },
  { name: 'door.sock', mode: 'auto', value: '/run/door.sock' },
];

test('of a package are the alternatives for which it brings a choice, and of which its scripts speak', async (t) => {
  programs(t, { 'update-alternatives': by, 'dpkg-query': dpkg });
  assert.deepEqual(await alternativesOf(['door']), mine);
  assert.deepEqual(chooseAgain(mine), [
    ['update-alternatives', '--set', 'ftp', '/bin/door'],
    ['update-alternatives', '--auto', 'door.sock'],
  ]);
});

test('one that leads elsewhere, or is gone, or cannot be asked for, is told', async (t) => {
  programs(t, { 'update-alternatives': `echo 'ftp auto /bin/other'` });
  assert.deepEqual(await changedAlternatives(mine), [
    'the alternative ftp is /bin/other (auto), and was /bin/door (manual)',
    'the alternative door.sock is gone, and was /run/door.sock (auto)',
  ]);
  programs(t, { 'update-alternatives': by });
  assert.deepEqual(await changedAlternatives(mine), []);
  programs(t, { 'update-alternatives': 'echo no database >&2; exit 2' });
  await assert.rejects(changedAlternatives(mine), { code: 'could-not-look' });
});

test('where dpkg cannot tell what a package brings, nothing is begun', async (t) => {
  programs(t, { 'update-alternatives': by, 'dpkg-query': 'echo no database >&2; exit 2' });
  await assert.rejects(alternativesOf(['door']), {
    code: 'could-not-look',
    message: /nothing was changed: 'dpkg-query --listfiles -- door' failed: no database/,
  });
});
