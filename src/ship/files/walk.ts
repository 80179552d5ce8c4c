import { readdirSync, statSync, lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '#base/errors';
import type { CouldNotLook } from '#base/looked';

export type FoundFile = {
  path: string;
  /** `<device>:<inode>` */
  key: string;
  size: number;
  /** Nanoseconds since the epoch. */
  modified: bigint;
};

/** Never read: binary by definition, compressed by rotation, or Holdfast's own output. */
const excludedName =
  /^(wtmp|btmp|lastlog|faillog|tallylog)([.-]\d+)?$|\.(journal~?|gz|xz|zst|bz2|lz4|lzma|Z|zip)$|^holdfast([.-].*)?$/;

const deepest = 16;

/**
 * Every regular file under the roots that may hold lines. Symbolic links are not followed: whoever may write in a log
 * directory could else have any file of the host read with the agent's privileges. A root itself may be a link.
 * @param excluded absolute paths of directories that are left out, e.g. the state directory
 */
export const walk = (
  roots: readonly string[],
  excluded: readonly string[],
): { files: FoundFile[]; couldNotLook: CouldNotLook[] } => {
  const files: FoundFile[] = [];
  const couldNotLook: CouldNotLook[] = [];
  const seen = new Set<string>();

  const enter = (directory: string, depth: number): void => {
    if (excluded.includes(directory)) return;
    let entries;
    try {
      entries = readdirSync(directory, { withFileTypes: true });
    } catch (error) {
      if (depth > 0 && systemCode(error) === 'ENOENT') return;
      couldNotLook.push(unreadable(directory, error));
      return;
    }
    for (const entry of entries) {
      if (excludedName.test(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (depth < deepest) enter(path, depth + 1);
        else
          couldNotLook.push({
            what: path,
            why: `more than ${deepest} directories deep`,
            remedy: `add ${path} to the log roots`,
          });
      } else if (entry.isFile()) {
        const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
        if (found === undefined || !found.isFile()) continue;
        const key = `${found.dev}:${found.ino}`;
        if (seen.has(key)) continue;
        seen.add(key);
        files.push({ path, key, size: Number(found.size), modified: found.mtimeNs });
      }
    }
  };

  for (const root of roots) {
    try {
      enter(realpathSync(root), 0);
    } catch (error) {
      couldNotLook.push(unreadable(root, error));
    }
  }
  return { files, couldNotLook };
};

export const unreadable = (path: string, error: unknown): CouldNotLook => ({
  what: path,
  why: messageOf(error),
  remedy:
    systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM'
      ? 'let the group adm read it (chgrp adm, chmod g+r), which the agent is in when Holdfast is started by root'
      : 'see whether it exists and can be read',
});

/** Files that Holdfast's own processes write their output to, as keys: reading those back would never end. */
export const ownOutput = (): Set<string> => {
  const keys = new Set<string>();
  for (const pid of [process.pid, process.ppid]) {
    for (const fd of [1, 2]) {
      try {
        const file = statSync(`/proc/${pid}/fd/${fd}`, { bigint: true });
        if (file.isFile()) keys.add(`${file.dev}:${file.ino}`);
      } catch {
        // another user's process: its output is then told by name alone
      }
    }
  }
  return keys;
};

/** Whether `path` is, now, the file of that key. */
export const namesInode = (path: string, key: string): boolean => {
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return named !== undefined && `${named.dev}:${named.ino}` === key;
};
