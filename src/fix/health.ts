import { setTimeout as sleep } from 'node:timers/promises';
import { run } from './run.ts';

/** How services fare, to be compared before and after. */
export type Health = {
  /** Units that systemd says have failed. */
  failed: Set<string>;
  /** The state of each unit that was asked for, e.g. `active`. */
  states: Map<string, string>;
  /** How often systemd has started each again by itself (`NRestarts`). */
  restarts: Map<string, number>;
};

/** Asks systemctl about units, and about all that have failed. */
export const healthOf = async (units: readonly string[]): Promise<Health> => {
  const [failed, shown] = await Promise.all([
    run(['systemctl', 'list-units', '--failed', '--plain', '--no-legend', '--no-pager']),
    units.length === 0
      ? null
      : run(['systemctl', 'show', '--property=ActiveState,NRestarts', '--', ...units]),
  ]);
  return {
    failed: new Set(failed.stdout.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || [])),
    ...statesIn(shown?.stdout ?? '', units),
  };
};

/** What `systemctl show` printed of some units, a block each, in their order. One too few, and none is known. */
export const statesIn = (printed: string, units: readonly string[]): Pick<Health, 'states' | 'restarts'> => {
  const blocks = printed.trim().split(/\n{2,}/);
  const valueOf = (n: number, name: string): string | undefined =>
    blocks.length === units.length ? new RegExp(`^${name}=(.*)$`, 'm').exec(blocks[n] ?? '')?.[1] : undefined;
  return {
    states: new Map(units.map((unit, n) => [unit, valueOf(n, 'ActiveState') ?? 'unknown'])),
    restarts: new Map(units.map((unit, n) => [unit, Number(valueOf(n, 'NRestarts') ?? 0)])),
  };
};

const everyMs = 500;
const settledWithinMs = 20_000;
/** What systemd has started again by itself must stay up for so long. */
const quietMs = 5000;

/**
 * As healthOf, once nothing is starting any more, and what crashed meanwhile has stayed up for a moment: a service that
 * crashes again and again is `active` between.
 */
export const settledHealthOf = async (units: readonly string[], before: Health): Promise<Health> => {
  const until = performance.now() + settledWithinMs;
  let quietSince = performance.now();
  let last = await healthOf(units);
  while (performance.now() < until) {
    const isStarting = units.some(
      (unit) => before.states.get(unit) === 'active' && starting.has(last.states.get(unit) ?? ''),
    );
    const hasCrashed = units.some((unit) => crashes(before, last, unit));
    if (!isStarting && (!hasCrashed || performance.now() - quietSince >= quietMs)) return last;
    await sleep(everyMs);
    const next = await healthOf(units);
    if (isStarting || units.some((unit) => next.restarts.get(unit) !== last.restarts.get(unit)))
      quietSince = performance.now();
    last = next;
  }
  return last;
};

const starting = new Set(['activating', 'reloading', 'deactivating']);

/** The number begins anew when somebody starts the unit. */
const crashes = (before: Health, now: Health, unit: string): boolean => {
  const times = now.restarts.get(unit) ?? 0;
  return times > 0 && times !== before.restarts.get(unit);
};

/**
 * What is worse than before: a sentence for each unit.
 * @param still `starting`: what is on its way up is not yet worse; `settled`: it had its time
 */
export const worse = (before: Health, after: Health, still: 'starting' | 'settled'): Map<string, string> => {
  const well = new Set(still === 'starting' ? ['active', ...starting] : ['active', 'reloading']);
  const failed = [...after.failed].filter((unit) => !before.failed.has(unit));
  const stopped = [...before.states.entries()]
    .filter(([unit, state]) => state === 'active' && !well.has(after.states.get(unit) ?? ''))
    .map(([unit]) => unit);
  return new Map([
    ...stopped.map((unit): [string, string] => [
      unit,
      `${unit} is ${after.states.get(unit) ?? 'gone'}, and was active`,
    ]),
    ...failed.map((unit): [string, string] => [unit, `${unit} has failed`]),
  ]);
};
