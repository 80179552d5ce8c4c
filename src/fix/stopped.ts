import type { Turn } from '#advise';
import { run } from './run.ts';

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
  const states = await Promise.all(
    units.map(async (one) => ({
      unit: one,
      enabled: (await run(['systemctl', 'is-enabled', '--', one])).status === 0,
      active: (await run(['systemctl', 'is-active', '--', one])).status === 0,
    })),
  );
  const enabled = states.filter((state) => state.enabled).map((state) => state.unit);
  const active = states.filter((state) => state.active).map((state) => state.unit);
  const { stdout: texts } = await run(['systemctl', 'cat', '--', ...units]);
  const along = [...texts.matchAll(/^Also=(.*)$/gm)]
    .flatMap(([, also = '']) => also.split(/\s+/))
    .filter((one, n, all) => one !== '' && !units.includes(one) && all.indexOf(one) === n);
  return {
    edits: [],
    checks: [],
    effective: null,
    apply: [
      ...(enabled.length === 0 ? [] : [['systemctl', 'disable', '--quiet', '--', ...enabled]]),
      ['systemctl', 'stop', '--', ...units],
    ],
    revert: [
      ...(enabled.length === 0 ? [] : [['systemctl', 'enable', '--quiet', '--', ...enabled]]),
      ['systemctl', 'start', '--', ...active],
    ],
    cautions:
      along.length === 0
        ? []
        : [`systemctl disables ${along.join(', ')} along with it, and enables it along at an undo`],
    closes: 'all',
  };
};
