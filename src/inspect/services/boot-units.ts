import { readdirSync } from 'node:fs';

/** Where systemd looks for what a target pulls in (systemd.unit(5)); generators read /etc/init.d and the like. */
const directories = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/run/systemd/generator',
  '/run/systemd/generator.late',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/**
 * Units that something pulls in at boot: those in a `.wants` or `.requires` directory, by name. A unit that only another
 * program starts (D-Bus, a person) is not among them.
 * @param root what stands before /etc; @returns `null` where systemd has no directory there
 */
export const unitsAtBoot = (root: string): ReadonlySet<string> | null => {
  const units = new Set<string>();
  let found = false;
  for (const directory of directories) {
    for (const name of namesIn(root + directory)) {
      found = true;
      if (!/\.(?:wants|requires|upholds)$/.test(name)) continue;
      for (const unit of namesIn(`${root}${directory}/${name}`)) units.add(unit);
    }
  }
  return found ? units : null;
};

const namesIn = (directory: string): string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/** Whether the unit, or a socket of its name that starts it, is started at boot. */
export const isAtBoot = (units: ReadonlySet<string>, unit: string): boolean =>
  units.has(unit) || units.has(unit.replace(/\.service$/, '.socket'));
