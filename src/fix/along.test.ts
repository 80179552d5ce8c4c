import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stoppedAlong } from './along.ts';
import { unitsToWatch } from './dependents.ts';
import { planOfNothing } from './plan.fixture.ts';
import { programs } from './programs.fixture.ts';
import { risksOf } from './risks.ts';
import type { FixStep } from './steps.ts';

/** db.service is required by app.service, of which part.service and idle.service are part; a timer starts db.service. */
const systemctl = `for last; do :; done
case $*:$last in
  list-units*) ;;
  *RequiredBy*:db.timer) echo app.service;;
  *RequiredBy*:app.service) echo part.service idle.service;;
  *RequiredBy*) ;;
  *ActiveState*) while [ "$1" != -- ]; do shift; done; shift
    for unit; do echo; case $unit in idle.service) echo ActiveState=inactive;; *) echo ActiveState=active;; esac; done;;
esac`;

test('what needs it goes down with it, and what needs that; what is down already does not', async (t) => {
  programs(t, { systemctl });
  assert.deepEqual(await stoppedAlong(['db.service', 'db.timer']), ['app.service', 'part.service']);
});

test('where systemctl cannot tell it, nothing is begun', async (t) => {
  programs(t, { systemctl: 'exit 1' });
  await assert.rejects(stoppedAlong(['db.service']), { code: 'could-not-look' });
});

test('what stops along is a risk of stopping and removing, and is looked after where it is only restarted', async () => {
  const risks = (step: FixStep): string[] =>
    risksOf(
      { edits: [], along: ['app.service'] },
      planOfNothing.use,
      () => false,
      () => null,
      step,
      [],
      null,
    ).map(({ name, why }) => `${name}: ${why}`);
  assert.deepEqual(risks('do not run'), ['local-clients: app.service needs it, and stops along with it']);
  assert.deepEqual(risks('local only'), []);
  const plan = {
    ...planOfNothing,
    along: ['app.service'],
    use: { ...planOfNothing.use, clients: [user('app.service'), user('other.service')] },
  };
  assert.deepEqual(await unitsToWatch({ ...plan, use: planOfNothing.use }), [plan.unit, 'app.service']);
  assert.deepEqual(await unitsToWatch({ ...plan, step: 'do not run' }), ['other.service']);
});

const user = (unit: string) =>
  ({ from: '127.0.0.1', to: '127.0.0.1', local: true, pid: 1, program: 'app', unit, seen: 1 }) as const;
