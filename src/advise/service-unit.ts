import type { Door } from './doors.ts';

/** The one unit that all holders run in, if systemd runs here and it is a service; else `null`. */
export const serviceUnit = ({ processes, init }: Pick<Door, 'processes' | 'init'>): string | null => {
  const units = new Set(processes.map(({ unit }) => unit));
  const [unit] = units;
  return init === 'systemd' && units.size === 1 && unit?.endsWith('.service') ? unit : null;
};
