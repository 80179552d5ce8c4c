import type { Turn } from '#advise';
import { stoppedAlong } from './along.ts';
import { FixError } from './errors.ts';
import { lastWord, run } from './run.ts';
import { statesOf, systemctl, type UnitState } from './unit-states.ts';

/**
 * A unit and what would start it again, stopped now and at every boot; the undo starts and enables what was so before.
 * @returns also the active units that systemd stops along with them
 * @throws FixError `could-not-look`
 */
export const stopped = async (unit: string): Promise<{ turn: Turn; along: string[] }> => {
  const triggers = wordsOf(await shown(unit, ['TriggeredBy', 'Triggers']), ['TriggeredBy', 'Triggers']);
  const units = [unit, ...triggers.filter((one) => /\.(?:socket|path|timer|service)$/.test(one))];
  const states = await statesOf(units);
  const enabled = states.filter(({ boot }) => boot === 'enabled');
  const pulledIn = await pulledInBy(states);
  const masked = pulledIn.filter(({ isMaskable }) => isMaskable).map(({ state }) => state);
  const { stdout: texts } = await run(['systemctl', 'cat', '--', ...units]);
  const also = [...new Set(wordsOf(texts, ['Also']))].filter((one) => !units.includes(one));
  const turn: Turn = {
    edits: [],
    checks: [],
    effective: null,
    apply: [...systemctl('disable', enabled), ...systemctl('stop', states), ...systemctl('mask', masked)],
    revert: [
      ...systemctl('unmask', masked),
      ...systemctl('enable', enabled),
      ...systemctl(
        'start',
        states.filter(({ active }) => active),
      ),
    ],
    cautions: [
      ...(also.length === 0
        ? []
        : [`systemctl disables ${also.join(', ')} along with it, and enables it along at an undo`]),
      ...pulledIn.map(({ state, by, isMaskable }) =>
        isMaskable
          ? `${by.join(', ')} would start ${state.unit} again, so it is masked until an undo`
          : `${by.join(', ')} will start ${state.unit} again, at the next boot at the latest: its file is where the mask would be (/etc/systemd/system), so change that by hand`,
      ),
    ],
    closes: 'all',
  };
  return { turn, along: await stoppedAlong(units) };
};

/** A unit that others start, whether it is enabled or not. */
type PulledIn = { state: UnitState; by: string[]; isMaskable: boolean };

const pulls = ['WantedBy', 'RequiredBy', 'UpheldBy'];

/**
 * Those that others start. What their own [Install] section names goes with `systemctl disable`; so do the targets of an
 * init script's runlevels.
 * @throws FixError `could-not-look`
 */
const pulledInBy = async (states: readonly UnitState[]): Promise<PulledIn[]> => {
  const going = new Set(states.map(({ unit }) => unit));
  const found = await Promise.all(
    states
      .filter(({ boot }) => boot !== 'masked')
      .map(async (state): Promise<PulledIn> => {
        const facts = await shown(state.unit, [...pulls, 'FragmentPath', 'SourcePath']);
        const { stdout: text } = await run(['systemctl', 'cat', '--', state.unit]);
        const isScript = /^SourcePath=\/etc\/init\.d\//m.test(facts);
        const installed = new Set(wordsOf(text, pulls));
        return {
          state,
          by: wordsOf(facts, pulls).filter(
            (one) => !going.has(one) && !installed.has(one) && !(isScript && one.endsWith('.target')),
          ),
          isMaskable: state.boot !== 'linked' && !/^FragmentPath=\/etc\/systemd\/system\//m.test(facts),
        };
      }),
  );
  return found.filter(({ by }) => by.length > 0);
};

/** What systemctl says of a unit, `NAME=VALUE` a line. @throws FixError `could-not-look` */
const shown = async (unit: string, properties: readonly string[]): Promise<string> => {
  const outcome = await run(['systemctl', 'show', `--property=${properties.join(',')}`, '--', unit]);
  if (outcome.status === 0) return outcome.stdout;
  throw new FixError(
    'could-not-look',
    `nothing was changed: what starts ${unit} is asked of systemctl, and it said: ${lastWord(outcome)}`,
  );
};

/** Words behind `NAME=` of each line with one of these names. */
const wordsOf = (text: string, names: readonly string[]): string[] =>
  text.split('\n').flatMap((line) => {
    const [, name = '', words = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return names.includes(name) ? words.split(/\s+/).filter((word) => word !== '') : [];
  });
