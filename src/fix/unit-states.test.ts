import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programs } from './programs.fixture.ts';
import { changedAtBoot, statesOf, unitsNamed } from './unit-states.ts';

/** `$1` of systemctl is-enabled, the others being as of a host where a.service runs. */
const systemctl = (isEnabled: string): string => `case $1 in
  list-units) ;;
  show) printf 'ActiveState=active\\n\\nActiveState=inactive\\n';;
  is-enabled) ${isEnabled};;
esac`;

const units = ['a.service', 'b.service'];

test('a unit that is disabled, or has no file, is known although systemctl ends with an error', async (t) => {
  programs(t, {
    systemctl: systemctl(`case $3 in a.service) echo disabled; exit 1;; esac
      echo "Failed to get unit file state for $3: No such file or directory" >&2; exit 1`),
  });
  assert.deepEqual(await statesOf(units), [
    { unit: 'a.service', boot: 'disabled', active: true },
    { unit: 'b.service', boot: 'not-found', active: false },
  ]);
});

for (const [what, isEnabled] of [
  ['has lost its bus', `echo 'Failed to connect to bus: No such file or directory' >&2; exit 1`],
  ['says nothing', 'exit 1'],
  ['is killed at its answer', 'echo enabled; kill -KILL $$'],
] as const)
  test(`a systemctl that ${what} tells nothing of a unit, and nothing is begun`, async (t) => {
    programs(t, { systemctl: systemctl(isEnabled) });
    await assert.rejects(statesOf(units), { code: 'could-not-look' });
  });

test('where systemctl cannot tell what runs, nothing is begun', async (t) => {
  programs(t, { systemctl: '[ $1 = is-enabled ] && echo enabled' });
  await assert.rejects(statesOf(units), { code: 'could-not-look' });
});

test('what starts at boot otherwise than before is told, and so is what cannot be told', async (t) => {
  programs(t, {
    systemctl: systemctl('case $3 in a.service) echo masked; exit 1;; esac; echo no bus >&2; exit 1'),
  });
  const was = units.map((unit) => ({ unit, boot: 'enabled', active: true }));
  assert.deepEqual(await changedAtBoot(was), [
    'a.service is masked, and was enabled (systemctl is-enabled)',
    'whether b.service starts at boot cannot be told: no bus',
  ]);
});

test('units are what commands of systemctl name', () => {
  const commands = [
    ['systemctl', 'enable', '--quiet', '--', 'a.service', 'a.socket'],
    ['systemctl', 'daemon-reload'],
    ['nft', 'delete', 'x.service'],
  ];
  assert.deepEqual(unitsNamed(commands), ['a.service', 'a.socket']);
});
