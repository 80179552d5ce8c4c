import type { Turn } from '#advise';
import { stoppedAlong } from './along.ts';
import { run } from './run.ts';
import { statesOf, systemctl, type UnitState } from './unit-states.ts';

/**
 * A unit and what would start it again, stopped now and at every boot; the undo starts and enables what was so before.
 * @returns also the active units that systemd stops along with them
 * @throws FixError `could-not-look`
 */
export const stopped = async (unit: string): Promise<{ turn: Turn; along: string[] }> => {
  const { stdout } = await run([
    'systemctl',
    'show',
    '--property=TriggeredBy,Triggers',
    '--value',
    '--',
    unit,
  ]);
  const units = [
    unit,
    ...stdout.split(/\s+/).filter((word) => /\.(?:socket|path|timer|service)$/.test(word)),
  ];
  const states = await statesOf(units);
  const enabled = states.filter(({ boot }) => boot === 'enabled');
  const pulledIn = await pulledInBy(states);
  const { stdout: texts } = await run(['systemctl', 'cat', '--', ...units]);
  const along = [...texts.matchAll(/^Also=(.*)$/gm)]
    .flatMap(([, also = '']) => also.split(/\s+/))
    .filter((one, n, all) => one !== '' && !units.includes(one) && all.indexOf(one) === n);
  const turn: Turn = {
    edits: [],
    checks: [],
    effective: null,
    apply: [
      ...systemctl('disable', enabled),
      ...systemctl('stop', states),
      ...systemctl(
        'mask',
        pulledIn.map(({ state }) => state),
      ),
    ],
    revert: [
      ...systemctl(
        'unmask',
        pulledIn.map(({ state }) => state),
      ),
      ...systemctl('enable', enabled),
      ...systemctl(
        'start',
        states.filter(({ active }) => active),
      ),
    ],
    cautions: [
      ...(along.length === 0
        ? []
        : [`systemctl disables ${along.join(', ')} along with it, and enables it along at an undo`]),
      ...pulledIn.map(
        ({ state, by }) => `${by.join(', ')} would start ${state.unit} again, so it is masked until an undo`,
      ),
    ],
    closes: 'all',
  };
  return { turn, along: await stoppedAlong(units) };
};

/** Those that cannot be disabled, because other units start them (`static`). */
const pulledInBy = async (states: readonly UnitState[]): Promise<{ state: UnitState; by: string[] }[]> => {
  const going = new Set(states.map(({ unit }) => unit));
  const found = await Promise.all(
    states
      .filter(({ boot }) => boot === 'static')
      .map(async (state) => {
        const { stdout } = await run([
          'systemctl',
          'show',
          '--property=WantedBy,RequiredBy,UpheldBy',
          '--value',
          '--',
          state.unit,
        ]);
        return { state, by: stdout.split(/\s+/).filter((one) => one !== '' && !going.has(one)) };
      }),
  );
  return found.filter(({ by }) => by.length > 0);
};
