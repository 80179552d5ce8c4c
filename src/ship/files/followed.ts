import { closeSync } from 'node:fs';
import type { CursorChanges, Line } from '../line.ts';
import type { FilePosition } from './position.ts';
import type { Tracked } from './tracked.ts';
import type { FoundFile } from './walk.ts';

/** The files that are followed, and what has been read of them but not yet handed over. */
export type Followed = {
  get(key: string): Tracked | undefined;
  all(): Iterable<Tracked>;
  readonly size: number;
  /** Takes a file in; `fd` is its own from now on. */
  add(found: FoundFile, position: FilePosition, fd: number | null): Tracked;
  /** Stops following it, for good. */
  forget(key: string): void;
  /** New lines of a file, and that its position has changed. */
  gather(file: Tracked, lines: readonly Line[]): void;
  /** A line of the agent's own about a file, to go with the positions. */
  say(line: Line): void;
  change(key: string, value: unknown): void;
  /** Bytes of the lines gathered. */
  gathered(): number;
  /** What was gathered, lines and positions together; empties it. */
  take(): { lines: Line[]; cursors: CursorChanges } | null;
  /** Closes descriptors beyond `most`, those of the files that have been still the longest first. */
  closeIdle(most: number): void;
  close(): void;
};

export const followed = (elapsed: () => number): Followed => {
  const tracked = new Map<string, Tracked>();
  let lines: Line[] = [];
  let cursors: CursorChanges = {};
  let bytes = 0;

  return {
    get: (key) => tracked.get(key),
    all: () => tracked.values(),
    get size() {
      return tracked.size;
    },
    add(found, position, fd) {
      const file: Tracked = {
        key: found.key,
        position,
        fd,
        modified: -1n,
        size: -1,
        grown: elapsed(),
        named: true,
        removed: null,
        truncated: null,
      };
      tracked.set(found.key, file);
      cursors[`file:${found.key}`] = position;
      return file;
    },
    forget(key) {
      closeFile(tracked.get(key));
      tracked.delete(key);
      cursors[`file:${key}`] = null;
    },
    gather(file, more) {
      for (const line of more) {
        lines.push(line);
        bytes += line.raw.length;
      }
      cursors[`file:${file.key}`] = file.position;
    },
    say: (line) => void lines.push(line),
    change(key, value) {
      cursors[key] = value;
    },
    gathered: () => bytes,
    take() {
      if (lines.length === 0 && Object.keys(cursors).length === 0) return null;
      const group = { lines, cursors };
      lines = [];
      cursors = {};
      bytes = 0;
      return group;
    },
    closeIdle(most) {
      const held = [...tracked.values()].filter((file) => file.fd !== null && file.removed === null);
      held.sort((a, b) => a.grown - b.grown);
      for (const file of held.slice(0, Math.max(0, held.length - most))) closeFile(file);
    },
    close() {
      for (const file of tracked.values()) closeFile(file);
      tracked.clear();
    },
  };
};

const closeFile = (file: Tracked | undefined): void => {
  if (file === undefined || file.fd === null) return;
  closeSync(file.fd);
  file.fd = null;
};
