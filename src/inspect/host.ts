import { existsSync, readFileSync } from 'node:fs';

/** Where the host's facts are read from. Tests point these at captured trees. */
export type HostPaths = {
  /** A mounted procfs. */
  proc: string;
  /** A mounted sysfs. */
  sys: string;
  /** What stands before `/etc`, `/run` and `/var`; `''` for the host that this process runs on. */
  root: string;
};

export const thisHost: HostPaths = { proc: '/proc', sys: '/sys', root: '' };

/** The file's text, or `null` where it does not exist or may not be read. For facts whose absence is an answer. */
export const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/** What starts services here: `systemd`, or anything else (and then systemctl does nothing useful). */
export type InitSystem = 'systemd' | 'other';

/** sd_booted(3): the directory exists exactly where systemd is the init system. */
export const initSystem = ({ root }: HostPaths): InitSystem =>
  existsSync(`${root}/run/systemd/system`) ? 'systemd' : 'other';
