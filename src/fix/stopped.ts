import type { Turn } from '#advise';
import { run } from './run.ts';

/** A unit and what would start it again, stopped now and at every boot; the undo starts and enables what was so before. */
export const stopped = async (unit: string): Promise<Turn> => {
  const { stdout } = await run(['systemctl', 'show', '--property=TriggeredBy,Triggers', '--value', unit]);
  const units = [
    unit,
    ...stdout.split(/\s+/).filter((word) => /\.(?:socket|path|timer|service)$/.test(word)),
  ];
  const states = await Promise.all(
    units.map(async (one) => ({
      unit: one,
      enabled: (await run(['systemctl', 'is-enabled', one])).status === 0,
      active: (await run(['systemctl', 'is-active', one])).status === 0,
    })),
  );
  const enabled = states.filter((state) => state.enabled).map((state) => state.unit);
  const active = states.filter((state) => state.active).map((state) => state.unit);
  return {
    edits: [],
    checks: [],
    effective: null,
    apply: [
      ...(enabled.length === 0 ? [] : [['systemctl', 'disable', '--quiet', ...enabled]]),
      ['systemctl', 'stop', ...units],
    ],
    revert: [
      ...(enabled.length === 0 ? [] : [['systemctl', 'enable', '--quiet', ...enabled]]),
      ['systemctl', 'start', ...active],
    ],
    cautions: [],
    closes: 'all',
  };
};
