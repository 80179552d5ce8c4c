import type { Door } from './doors.ts';

/** The one unit that all holders run in, if systemd runs here and it is a service; else `null`. */
export const serviceUnit = ({ processes, init }: Pick<Door, 'processes' | 'init'>): string | null => {
  const units = new Set(processes.map(({ unit }) => unit));
  const [unit] = units;
  return init === 'systemd' && units.size === 1 && unit?.endsWith('.service') ? unit : null;
};

/** The one service that a socket unit starts; `null` where it starts one for each connection (`ssh@.service`). */
export const serviceOf = (activates: string | null): string | null =>
  activates?.endsWith('.service') === true && !activates.includes('@') ? activates : null;
