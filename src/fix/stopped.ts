import type { Turn } from '#advise';
import { run } from './run.ts';
import { statesOf, systemctl } from './unit-states.ts';

/** A unit and what would start it again, stopped now and at every boot; the undo starts and enables what was so before. */
export const stopped = async (unit: string): Promise<Turn> => {
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
  const { stdout: texts } = await run(['systemctl', 'cat', '--', ...units]);
  const along = [...texts.matchAll(/^Also=(.*)$/gm)]
    .flatMap(([, also = '']) => also.split(/\s+/))
    .filter((one, n, all) => one !== '' && !units.includes(one) && all.indexOf(one) === n);
  return {
    edits: [],
    checks: [],
    effective: null,
    apply: [...systemctl('disable', enabled), ...systemctl('stop', states)],
    revert: [
      ...systemctl('enable', enabled),
      ...systemctl(
        'start',
        states.filter(({ active }) => active),
      ),
    ],
    cautions:
      along.length === 0
        ? []
        : [`systemctl disables ${along.join(', ')} along with it, and enables it along at an undo`],
    closes: 'all',
  };
};
