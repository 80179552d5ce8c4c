import type { SeverityName } from '#wire/audit';

/** How a service is told to listen on this host alone. `L` is 127.0.0.1. */
export type LocalOnly = {
  /** File to change; a path that begins with `/` is Debian's. */
  file: string;
  /** What to write there. */
  directive: string;
  /** Command that checks the change before it takes effect, where there is one. */
  test: string | null;
  /** Command that makes it take effect. */
  apply: string;
  /** What goes wrong otherwise. */
  caution?: string;
};

export type KnownService = {
  name: string;
  /** Base names of executables. */
  executables: readonly string[];
  /** Debian packages, for what an interpreter runs. */
  packages?: readonly string[];
  /** A part of the path of the script that an interpreter runs. */
  script?: RegExp;
  /** Units, for what systemd holds. */
  units?: readonly string[];
  /** Services of the kernel. */
  kernel?: readonly string[];
  /** How bad it is if strangers can reach it. */
  exposed: SeverityName;
  /** Why, in one short sentence. */
  why: string;
  localOnly: LocalOnly | null;
  /** Being reachable is what it is there for: narrow who may connect rather than unbind it. */
  meantForStrangers?: true;
};

/** The usual way to make a change take effect. */
export const restart = (unit: string): string => `systemctl restart ${unit}`;
