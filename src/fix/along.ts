import { FixError } from './errors.ts';
import { healthBefore } from './health.ts';
import { lastWord, run } from './run.ts';

/** By which systemd stops a unit when another is stopped, or restarts it: systemd.unit(5). */
const binding = ['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'];

/**
 * Active units that go down along with these, and with what goes down with them: each requires one, is bound to it, or
 * is part of it.
 * @throws FixError `could-not-look`
 */
export const stoppedAlong = async (units: readonly string[]): Promise<string[]> => {
  const all = new Set(units);
  let next = [...all];
  while (next.length > 0) {
    const outcome = await run([
      'systemctl',
      'show',
      `--property=${binding.join(',')}`,
      '--value',
      '--',
      ...next,
    ]);
    if (outcome.status !== 0)
      throw new FixError(
        'could-not-look',
        `nothing was changed: what stops along with ${next.join(', ')} is asked of systemctl, and it said: ${lastWord(outcome)}`,
      );
    next = [...new Set(outcome.stdout.split(/\s+/))].filter((one) => one !== '' && !all.has(one));
    for (const one of next) all.add(one);
  }
  const { states } = await healthBefore([...all].slice(new Set(units).size));
  return [...states].flatMap(([unit, state]) => (state === 'active' ? [unit] : []));
};
