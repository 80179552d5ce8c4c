import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Seen } from './document.ts';

const directory = join(import.meta.dirname, '..', '..', '.cache', 'senders');

/** What the tests saw is kept until the page is made of it. */
export const recordSeen = (seen: Seen): void => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${seen.sender}-${seen.way}.json`), JSON.stringify(seen));
};

/** What was seen in the last `withinMs`. */
export const recentlySeen = (withinMs: number): Seen[] => {
  mkdirSync(directory, { recursive: true });
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((file) => statSync(file).mtimeMs >= Date.now() - withinMs)
    .map((file): Seen => JSON.parse(readFileSync(file, 'utf8')));
};
