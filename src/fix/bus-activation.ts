import { join } from 'node:path';
import { entriesOf, textOf, wordsOf } from './unit-files.ts';

/** What the system bus starts when somebody calls it by name: D-Bus specification, "Message Bus Starting Services". */
export type BusService = {
  /** `org.freedesktop.Avahi` */
  name: string;
  file: string;
  /** The unit that systemd is asked for; `null`: the bus starts the program by itself. */
  unit: string | null;
  program: string | null;
};

const places = [
  '/etc/dbus-1/system-services',
  '/run/dbus-1/system-services',
  '/usr/local/share/dbus-1/system-services',
  '/usr/share/dbus-1/system-services',
  '/lib/dbus-1/system-services',
] as const;

/** Of files for one name the first counts. @param root of the host whose files are read */
export const readBusServices = (root = '/'): BusService[] => {
  const found = new Map<string, BusService>();
  for (const place of places)
    for (const entry of entriesOf(join(root, place))) {
      if (!entry.name.endsWith('.service')) continue;
      const file = join(place, entry.name);
      const text = textOf(join(root, file)) ?? '';
      const [name = entry.name.replace(/\.service$/, '')] = wordsOf(text, ['Name']);
      const [unit = null] = wordsOf(text, ['SystemdService']);
      const [program = null] = wordsOf(text, ['Exec']);
      if (!found.has(name)) found.set(name, { name, file, unit, program });
    }
  return [...found.values()];
};
