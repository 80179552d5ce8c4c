import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthBefore, statesIn, worse, type Health } from './health.ts';
import { programs } from './programs.fixture.ts';

const units = ['mariadb.service', 'cacti.service'];
const health = (cacti: string, restarts = 0): Health => ({
  failed: new Set(),
  restless: new Set(),
  blind: null,
  ...statesIn(`NRestarts=0\nActiveState=active\n\nNRestarts=${restarts}\nActiveState=${cacti}\n`, units),
});

test('each unit has the state of its own block', () => {
  const { states, restarts } = health('activating', 3);
  assert.deepEqual([...states.values()], ['active', 'activating']);
  assert.equal(restarts.get('cacti.service'), 3);
});

test('where a unit is missing in the answer, no state is taken for another’s', () => {
  assert.deepEqual([...statesIn('ActiveState=active\n', units).states.values()], ['unknown', 'unknown']);
});

test('what is starting again is no worse for a while; then it is', () => {
  const after = health('activating', 1);
  assert.equal(worse(health('active'), after, 'starting').size, 0);
  assert.match(
    worse(health('active'), after, 'settled').get('cacti.service') ?? '',
    /is activating, and was active/,
  );
});

test('what ends again and again is worse, although it is active at this moment', () => {
  const after = { ...health('active', 9), restless: new Set(['cacti.service']) };
  assert.match(
    worse(health('active'), after, 'settled').get('cacti.service') ?? '',
    /ends again and again: systemd has started it 9 times/,
  );
});

for (const [what, systemctl] of [
  ['failed', 'echo no bus >&2; exit 1'],
  [
    'cannot list what failed',
    '[ $1 = show ] || exit 1; printf "ActiveState=active\\n\\nActiveState=active\\n"',
  ],
  ['left a unit out', '[ $1 = list-units ] || echo ActiveState=active'],
] as const)
  test(`a systemctl that ${what} is no healthy host, and nothing is begun`, async (t) => {
    programs(t, { systemctl });
    await assert.rejects(healthBefore(units), { code: 'could-not-look' });
  });

test('what systemctl tells whole is known', async (t) => {
  programs(t, {
    systemctl: '[ $1 = list-units ] || printf "ActiveState=active\\n\\nActiveState=inactive\\n"',
  });
  const { blind, states } = await healthBefore(units);
  assert.deepEqual([blind, ...states.values()], [null, 'active', 'inactive']);
});
