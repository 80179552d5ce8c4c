import { FixError } from './errors.ts';
import { healthBefore } from './health.ts';
import { lastWord, run } from './run.ts';

/** How a unit is now, so that an undo can leave it so. */
export type UnitState = {
  unit: string;
  /** `enabled`, `disabled`, `static`, `not-found`, …: systemctl(1), is-enabled. */
  boot: string;
  active: boolean;
};

/** How units are before anything is changed. @throws FixError `could-not-look` */
export const statesOf = async (units: readonly string[]): Promise<UnitState[]> => {
  const { states } = await healthBefore(units);
  return Promise.all(
    units.map(async (unit) => {
      const boot = await bootOf(unit);
      if (typeof boot !== 'string')
        throw new FixError(
          'could-not-look',
          `nothing was changed: whether ${unit} starts at boot is asked of systemctl, and it said: ${boot.why}`,
        );
      return { unit, boot, active: ['active', 'reloading'].includes(states.get(unit) ?? '') };
    }),
  );
};

/** An answer has one word, whatever the exit status; no word, and systemctl failed. */
const bootOf = async (unit: string): Promise<string | { why: string }> => {
  const outcome = await run(['systemctl', 'is-enabled', '--', unit]);
  const said = outcome.stdout.trim();
  if (outcome.status !== null && /^[a-z-]+$/.test(said)) return said;
  // Before systemd 253 a unit without a file is an error.
  return /^Failed to get unit file state for .*: No such file or directory$/m.test(outcome.stderr)
    ? 'not-found'
    : { why: lastWord(outcome) || 'nothing' };
};

/** Units that do not start at boot as they did, or of which that cannot be told: a sentence each. */
export const changedAtBoot = async (before: readonly UnitState[]): Promise<string[]> => {
  const all = await Promise.all(
    before.map(async ({ unit, boot }) => {
      const now = await bootOf(unit);
      if (typeof now !== 'string') return `whether ${unit} starts at boot cannot be told: ${now.why}`;
      return now === boot ? null : `${unit} is ${now}, and was ${boot} (systemctl is-enabled)`;
    }),
  );
  return all.filter((one) => one !== null);
};

/** Units that commands of systemctl name. */
export const unitsNamed = (commands: readonly (readonly string[])[]): string[] => [
  ...new Set(
    commands
      .filter(([program]) => program === 'systemctl')
      .flatMap((argv) => argv.filter((word) => /^[^-].*\.(?:service|socket|path|timer|target)$/.test(word))),
  ),
];

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
