import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from './clients.ts';
import { usualWatchMs, whatBroke } from './dependents.ts';
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
  assert.deepEqual(
    await whatBroke(plan, before, null, { backMs: 1500, noticedMs: 0, settledMs: 1000, watchMs: 0 }),
    ['app of app.service was connected to 127.0.0.1, and has not come back'],
  );
});

test('where systemctl cannot be asked any more, nothing passes for healthy', async (t) => {
  programs(t, {
    ss: 'exit 0',
    systemctl: `echo >>$DIR/looks; [ $(wc -l <$DIR/looks) -le 2 ] || { echo no bus >&2; exit 1; }
      [ $1 = list-units ] || echo ActiveState=active`,
  });
  const before = await healthOf(['app.service']);
  const patience = { backMs: 0, noticedMs: 0, settledMs: 1000, watchMs: 0 };
  assert.deepEqual(await whatBroke({ ...plan, use: planOfNothing.use }, before, null, patience), [
    'how services fare could not be looked at: systemctl failed: no bus',
  ]);
});

/** app.service, whose state at the nth look is the word that `$n` leads to. */
const watched = (states: string): string => `case $1 in
  list-units) ;;
  show) echo >>$DIR/looks; n=$(wc -l <$DIR/looks); echo ActiveState=$(${states});;
esac`;

const quick = { backMs: 0, noticedMs: 0, settledMs: 1000 };
const nobody = { ...plan, use: planOfNothing.use };

test('who notices late is noticed within the time for watching, and no sooner than it stays so', async (t) => {
  programs(t, {
    ss: 'exit 0',
    systemctl: watched('[ $n -eq 4 ] || [ $n -ge 6 ] && echo failed || echo active'),
  });
  const before = await healthOf(['app.service']);
  const started = performance.now();
  assert.deepEqual(await whatBroke(nobody, before, null, { ...quick, watchMs: 60_000 }), [
    'app.service is failed, and was active',
  ]);
  assert.ok(performance.now() - started < 30_000);
});

test('the check is asked again when the time is over', async (t) => {
  programs(t, { ss: 'exit 0', systemctl: watched('echo active'), once: 'mkdir $DIR/asked' });
  const before = await healthOf(['app.service']);
  assert.deepEqual(await whatBroke(nobody, before, 'once', { ...quick, watchMs: 0 }), []);
  programs(t, { once: 'mkdir $DIR/asked' });
  const [failed = ''] = await whatBroke(nobody, before, 'once', { ...quick, watchMs: 1500 });
  assert.match(failed, /^the check fails: 'once' ended with 1/);
});

test('it is watched as long as before, half a minute at the least, and not where nobody uses it', async (t) => {
  programs(t, { systemctl: watched('echo active') });
  const [users, alone] = [await healthOf(['app.service']), await healthOf([planOfNothing.unit])];
  const after = (milliseconds: number, health: typeof users): number =>
    usualWatchMs({ ...planOfNothing, use: { ...planOfNothing.use, milliseconds } }, health);
  assert.deepEqual([after(600_000, users), after(5000, users), after(600_000, alone)], [600_000, 30_000, 0]);
});
