import type { Listener } from '#inspect';

/** A command as execve(2) takes it: no shell is between. */
export type Argv = readonly string[];

/** What a knob is given of the host: what is open, and the texts and answers that it asked for. */
export type KnobFacts = {
  /** All that the daemon has open to others than this host. */
  doors: readonly Pick<Listener, 'protocol' | 'address' | 'port'>[];
  /** Unit that the daemon runs in, or that systemd listens for; with its suffix. */
  unit: string;
  /** Path of the daemon's executable; `null` where no package brought it, and where systemd or the kernel listens. */
  exe: string | null;
  /** Files by their real path, as far as they exist. */
  files: ReadonlyMap<string, string>;
  /** What `asks` printed, in that order; `null` for what could not be asked. */
  answers: readonly (string | null)[];
};

/** A file as it is to be. */
export type Edit = { path: string; text: string };

/**
 * How a change is tried before it takes effect, in a mount namespace where the files are as they are to be:
 *
 * - `command`: the daemon's own checker; status 0 is good;
 * - `trial`: the daemon itself, in a network of its own: it must still run after a moment.
 */
export type Check = {
  kind: 'command' | 'trial';
  argv: Argv;
  /** Of a command: `own` where it asks the kernel about rules of a network. */
  network?: 'own' | 'of the host';
};

/** The listen address as the daemon itself understands its configuration. */
export type Effective = {
  argv: Argv;
  /** The value in what the command printed; `null` where it is not in there. */
  value(printed: string): string | null;
};

/** What is to be done: mostly, so that the daemon listens on this host alone. */
export type Turn = {
  edits: readonly Edit[];
  checks: readonly Check[];
  effective: Effective | null;
  /** What makes it take effect. */
  apply: readonly Argv[];
  /** What is run before the old files are put back, where something must let go of the new ones; the last must succeed. */
  release?: readonly Argv[];
  /** What makes the old files take effect again, where that is not `apply`. */
  revert?: readonly Argv[];
  /** What else may happen, a sentence each. */
  cautions: readonly string[];
  /** What is not open afterwards even to this host: `udp 138`. */
  closes?: 'all' | readonly string[];
};

/** Why a knob cannot be turned here, and what to do by hand. */
export type CannotTurn = { why: string; remedy: string };

/** How one daemon is told to listen on this host alone. Pure: the fixer reads the files and asks the questions. */
export type Knob = {
  /** As in the table of known services. */
  service: string;
  /** Globs of configuration files that it must see. */
  files: readonly string[];
  asks?: readonly Argv[];
  turn(facts: KnobFacts): Turn | CannotTurn;
};

export const cannotTurn = (turn: Turn | CannotTurn): turn is CannotTurn => 'why' in turn;

export const restart = (...units: string[]): Argv[] => [['systemctl', 'restart', ...units]];

/** The usual turn: files, the daemon's own checker, a restart of its unit. */
export const turnOf = (
  { unit }: Pick<KnobFacts, 'unit'>,
  edits: readonly Edit[],
  some: Partial<Omit<Turn, 'edits'>> = {},
): Turn => ({ edits, checks: [], effective: null, apply: restart(unit), cautions: [], ...some });

export const command = (...argv: string[]): Check => ({ kind: 'command', argv });
export const trial = (...argv: string[]): Check => ({ kind: 'trial', argv });
