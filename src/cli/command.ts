import type { StateDirectory } from '#base/state';
import type { Exit } from './exit.ts';
import type { Io } from './io.ts';

/** What every command is given. */
export type Context = { io: Io; state: StateDirectory; json: boolean };

export type Flag = { flags: string; description: string; default?: string | boolean; repeats?: true };

/** The values of a command's own flags, by their camel-case name. */
export type Flags = Readonly<Record<string, unknown>>;

/** One command: what it is called, what it takes, examples that a test runs, and what it does. */
export type Command = {
  /** `logs search`, or a single word. */
  name: string;
  summary: string;
  /** commander's notation: `<query>`, `[query...]` */
  arguments?: string;
  flags?: readonly Flag[];
  /** Words that begin with a dash and are no flag are arguments: `-word` in a query. */
  dashes?: 'arguments';
  /** Complete command lines. */
  examples: readonly string[];
  run(context: Context, args: readonly string[], flags: Flags): Promise<Exit>;
};

/** Commands by name, each loaded only where it is run or shown: a start costs what the one command needs. */
export type Commands = Readonly<Record<string, () => Promise<Command>>>;

/** The text of a flag, or `undefined` where it was not given. */
export const text = (flags: Flags, name: string): string | undefined => {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
};

export const texts = (flags: Flags, name: string): readonly string[] | undefined => {
  const value = flags[name];
  return Array.isArray(value) ? value.map(String) : undefined;
};
