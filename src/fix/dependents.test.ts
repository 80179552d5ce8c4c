import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from './clients.ts';
import { whatBroke } from './dependents.ts';
import { healthOf } from './health.ts';
import { planOfNothing } from './plan.fixture.ts';
import { programs } from './programs.fixture.ts';

const app: Client = {
  from: '127.0.0.1',
  to: '127.0.0.1',
  local: true,
  pid: 9,
  program: 'app',
  unit: 'app.service',
  seen: 5,
};
const plan = {
  ...planOfNothing,
  doors: [{ protocol: 'tcp', address: '0.0.0.0', port: 3306, v6only: null } as const],
  use: { ...planOfNothing.use, clients: [app], looks: 5 },
};

test('a client that does not come back is missed, whatever unit failed for a moment meanwhile', async (t) => {
  programs(t, {
    ss: 'exit 0',
    // The second look at all that failed finds one that recovers at once.
    systemctl: `case $1 in
      list-units) echo >>$DIR/looks; [ $(wc -l <$DIR/looks) -ne 2 ] || echo other.service loaded failed failed x;;
      show) echo NRestarts=0; echo ActiveState=active;;
    esac`,
  });
  const before = await healthOf(['app.service']);
  assert.deepEqual(await whatBroke(plan, before, null, { backMs: 1500, noticedMs: 0, settledMs: 1000 }), [
    'app of app.service was connected to 127.0.0.1, and has not come back',
  ]);
});

test('where systemctl cannot be asked any more, nothing passes for healthy', async (t) => {
  programs(t, {
    ss: 'exit 0',
    systemctl: `echo >>$DIR/looks; [ $(wc -l <$DIR/looks) -le 2 ] || { echo no bus >&2; exit 1; }
      [ $1 = list-units ] || echo ActiveState=active`,
  });
  const before = await healthOf(['app.service']);
  const patience = { backMs: 0, noticedMs: 0, settledMs: 1000 };
  assert.deepEqual(await whatBroke({ ...plan, use: planOfNothing.use }, before, null, patience), [
    'how services fare could not be looked at: systemctl failed: no bus',
  ]);
});
