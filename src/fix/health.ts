import { setTimeout as sleep } from 'node:timers/promises';
import { FixError } from './errors.ts';
import { lastWord, run } from './run.ts';

/** How services fare, to be compared before and after. */
export type Health = {
  /** Units that systemd says have failed. */
  failed: Set<string>;
  /** The state of each unit that was asked for, e.g. `active`. */
  states: Map<string, string>;
  /** How often systemd has started each again by itself (`NRestarts`). */
  restarts: Map<string, number>;
  /** Units that systemd started again by itself, and that have not stayed up since. */
  restless: Set<string>;
  /** Why systemctl did not tell all of it; `null` where it did. */
  blind: string | null;
};

/** Asks systemctl about units, and about all that have failed. */
export const healthOf = async (units: readonly string[]): Promise<Health> => {
  const [failed, shown] = await Promise.all([
    run(['systemctl', 'list-units', '--failed', '--plain', '--no-legend', '--no-pager']),
    units.length === 0
      ? null
      : run(['systemctl', 'show', '--property=ActiveState,NRestarts', '--', ...units]),
  ]);
  const known = statesIn(shown?.stdout ?? '', units);
  const mute = [failed, shown].find((outcome) => outcome !== null && outcome.status !== 0) ?? null;
  const unknown = [...known.states].flatMap(([unit, state]) => (state === 'unknown' ? [unit] : []));
  return {
    failed: new Set(failed.stdout.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || [])),
    ...known,
    restless: new Set(),
    blind:
      mute !== null
        ? `systemctl failed: ${lastWord(mute)}`
        : unknown.length > 0
          ? `systemctl did not tell the state of ${unknown.join(', ')}`
          : null,
  };
};

/** As healthOf, before anything is changed. @throws FixError `could-not-look` */
export const healthBefore = async (units: readonly string[]): Promise<Health> => {
  const health = await healthOf(units);
  if (health.blind !== null)
    throw new FixError(
      'could-not-look',
      `nothing was changed: how services fare could not be looked at, so nothing could be compared afterwards: ${health.blind}`,
    );
  return health;
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
/** What systemd has started again by itself must stay up for so long. */
const quietMs = 10_000;

/**
 * As healthOf, once nothing is starting any more, and what crashed meanwhile has stayed up for a moment: a service that
 * crashes again and again is `active` between.
 * @param times so long is looked at the least, and at the most
 */
export const settledHealthOf = async (
  units: readonly string[],
  before: Health,
  times: { leastMs: number; mostMs: number },
): Promise<Health> => {
  const started = performance.now();
  /** When each was last seen to be started again. */
  const restartedAt = new Map(units.map((unit) => [unit, performance.now()]));
  const isRestless = (unit: string): boolean =>
    before.states.get(unit) === 'active' &&
    crashes(before, last, unit) &&
    performance.now() - (restartedAt.get(unit) ?? 0) < quietMs;
  let last = await healthOf(units);
  for (;;) {
    const isStarting = units.some(
      (unit) => before.states.get(unit) === 'active' && starting.has(last.states.get(unit) ?? ''),
    );
    const restless = new Set(units.filter(isRestless));
    const watchedMs = performance.now() - started;
    const isSettled = !isStarting && restless.size === 0 && last.blind === null && watchedMs >= times.leastMs;
    if (isSettled || watchedMs > times.mostMs) return { ...last, restless };
    await sleep(everyMs);
    const next = await healthOf(units);
    for (const unit of units)
      if (next.restarts.get(unit) !== last.restarts.get(unit)) restartedAt.set(unit, performance.now());
    last = next;
  }
};

const starting = new Set(['activating', 'reloading', 'deactivating']);

/** The number begins anew when somebody starts the unit. */
const crashes = (before: Health, now: Health, unit: string): boolean => {
  const times = now.restarts.get(unit) ?? 0;
  return times > 0 && times !== before.restarts.get(unit);
};

/**
 * What is worse than before: a sentence for each unit, as far as `after` is known.
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
    ...[...after.restless].map((unit): [string, string] => [
      unit,
      `${unit} ends again and again: systemd has started it ${after.restarts.get(unit) ?? 0} times`,
    ]),
    ...failed.map((unit): [string, string] => [unit, `${unit} has failed`]),
  ]);
};
