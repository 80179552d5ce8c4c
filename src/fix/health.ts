import { run } from './run.ts';

/** How services fare, to be compared before and after. */
export type Health = {
  /** Units that systemd says have failed. */
  failed: Set<string>;
  /** The state of each unit that was asked for, e.g. `active`. */
  states: Map<string, string>;
};

/** Asks systemctl about units, and about all that have failed. */
export const healthOf = async (units: readonly string[]): Promise<Health> => {
  const [failed, active] = await Promise.all([
    run(['systemctl', 'list-units', '--failed', '--plain', '--no-legend', '--no-pager']),
    units.length === 0 ? null : run(['systemctl', 'is-active', ...units]),
  ]);
  const states = active?.stdout.split('\n') ?? [];
  return {
    failed: new Set(failed.stdout.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || [])),
    states: new Map(units.map((unit, n) => [unit, states[n]?.trim() ?? 'unknown'])),
  };
};

/** What is worse than before: a sentence for each unit. */
export const worse = (before: Health, after: Health): Map<string, string> => {
  const well = new Set(['active', 'activating', 'reloading']);
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
