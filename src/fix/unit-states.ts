import { run } from './run.ts';

/** How a unit is now, so that an undo can leave it so. */
export type UnitState = {
  unit: string;
  /** `enabled`, `disabled`, `static`, …: systemctl(1), is-enabled. */
  boot: string;
  active: boolean;
};

export const statesOf = async (units: readonly string[]): Promise<UnitState[]> =>
  Promise.all(
    units.map(async (unit) => ({
      unit,
      boot: (await run(['systemctl', 'is-enabled', '--', unit])).stdout.trim(),
      active: (await run(['systemctl', 'is-active', '--', unit])).status === 0,
    })),
  );

/** `systemctl VERB` for units; nothing where there are none. */
export const systemctl = (
  verb: 'enable' | 'disable' | 'mask' | 'unmask' | 'start' | 'stop',
  states: readonly UnitState[],
): string[][] =>
  states.length === 0
    ? []
    : [
        [
          'systemctl',
          verb,
          ...(verb === 'start' || verb === 'stop' ? [] : ['--quiet']),
          '--',
          ...states.map(({ unit }) => unit),
        ],
      ];
