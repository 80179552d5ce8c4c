import type { Option, SeverityName } from '#wire/audit';

/** What makes a change take effect: an init script or unit, or a command of the service's own. */
export type Apply = { verb: 'restart' | 'reload'; services: readonly string[] } | { command: string };

/** How a service is told to listen on this host alone. `L` is 127.0.0.1. */
export type LocalOnly = {
  /** File to change; a path that begins with `/` is Debian's. */
  file: string;
  /** What to write there. */
  directive: string;
  /** Command that checks the change before it takes effect, where there is one. */
  test: string | null;
  apply: Apply;
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
  /**
   * Its socket unit can go: it listens by itself then, by its own configuration, which is local unless somebody changed it.
   */
  socketUnneeded?: true;
  /** The smallest sensible step, where that is not `local only` (`firewalled` for what strangers are meant to reach). */
  recommended?: Option['step'];
  /** Its ports are handed out anew at each start (rpcbind): an ephemeral UDP port may well be a service. */
  anyPort?: true;
  /** Being reachable is what it is there for: narrow who may connect rather than unbind it. */
  meantForStrangers?: true;
};

/** The usual way to make a change take effect, for one or more units. */
export const restart = (...services: string[]): Apply => ({ verb: 'restart', services });
export const reload = (...services: string[]): Apply => ({ verb: 'reload', services });
