import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '#base/errors';
import { listIfThere, statIfThere } from './host-files.ts';
import type { AptOutputs } from './simulate.ts';

const outputs = z.strictObject({
  upgrade: z.string(),
  distUpgrade: z.string(),
  policy: z.string(),
  depends: z.string(),
  upgradeError: z.string().nullable(),
  unreadable: z.string().nullable(),
});
const entry = z.strictObject({ fingerprint: z.string(), outputs });

/**
 * `/var/cache/holdfast` for root, else `$XDG_CACHE_HOME/holdfast` (default `~/.cache/holdfast`); `null` for a user
 * without a home. A relative `$XDG_CACHE_HOME` does not count (XDG Base Directory Specification).
 */
export const defaultCacheDirectory = (env: NodeJS.ProcessEnv, uid: number): string | null => {
  if (uid === 0) return '/var/cache/holdfast';
  const named = env['XDG_CACHE_HOME'] ?? '';
  if (isAbsolute(named)) return join(named, 'holdfast');
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'holdfast') : null;
  } catch {
    return null;
  }
};

/**
 * SHA-256, in hex, over everything that decides what apt answers: dpkg's status and apt's configuration, sources and
 * preferences by content; the lists and apt itself by name, size, inode and times; the machine id (phasing).
 */
export const fingerprint = (root: string): string => {
  const hash = createHash('sha256');
  hash.update(`holdfast apt simulation 1\n${process.getuid?.() ?? -1}\n${root}\n`);
  const content = (path: string): void => {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      bytes = Buffer.from(systemCode(error) ?? 'unreadable');
    }
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  };
  const identity = (path: string): void => {
    const stat = statIfThere(path);
    hash.update(
      stat === null
        ? `${path}\0absent\0`
        : `${path}\0${stat.size}\0${stat.ino}\0${stat.mtimeMs}\0${stat.ctimeMs}\0`,
    );
  };
  const names = (directory: string): string[] => {
    try {
      return listIfThere(directory);
    } catch (error) {
      hash.update(`${directory}\0${systemCode(error) ?? 'unreadable'}\0`);
      return [];
    }
  };
  content(`${root}/var/lib/dpkg/status`);
  for (const file of ['apt.conf', 'sources.list', 'preferences']) content(`${root}/etc/apt/${file}`);
  for (const directory of ['apt.conf.d', 'sources.list.d', 'preferences.d']) {
    for (const name of names(`${root}/etc/apt/${directory}`)) content(`${root}/etc/apt/${directory}/${name}`);
  }
  for (const name of names(`${root}/var/lib/apt/lists`)) {
    if (/(?:Release|Packages(?:\.\w+)?)$/.test(name)) identity(`${root}/var/lib/apt/lists/${name}`);
  }
  identity(`${root}/var/lib/apt/extended_states`);
  content(`${root}/etc/machine-id`);
  identity('/usr/bin/apt-get');
  return hash.digest('hex');
};

const fileName = 'apt-simulation';

/**
 * What apt answered to the same question before, or `null`. The file is the SHA-256 of the rest in hex, LF, JSON; one
 * that is damaged, of another fingerprint, or that somebody else could have written is ignored.
 */
export const recall = (directory: string, wanted: string): AptOutputs | null => {
  try {
    const path = join(directory, fileName);
    if (!isOurs(directory) || !isOurs(path)) return null;
    const text = readFileSync(path, 'utf8');
    const body = text.slice(65);
    if (text.slice(0, 65) !== `${digest(body)}\n`) return null;
    const parsed = entry.safeParse(JSON.parse(body));
    return parsed.success && parsed.data.fingerprint === wanted ? parsed.data.outputs : null;
  } catch {
    return null;
  }
};

/** Keeps an answer, atomically. A cache that cannot be written is no fault: the next run asks apt again. */
export const remember = (directory: string, asked: string, answer: AptOutputs): void => {
  const temporary = join(directory, `${fileName}.${process.pid}.new`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    if (!isOurs(directory)) return;
    const body = JSON.stringify({ fingerprint: asked, outputs: answer });
    const fd = openSync(temporary, 'wx', 0o644);
    try {
      writeFileSync(fd, `${digest(body)}\n${body}`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, join(directory, fileName));
  } catch {
    discard(temporary);
  }
};

/** Where the directory may not be entered, there is nothing to remove, and rmSync throws in spite of `force`. */
const discard = (path: string): void => {
  try {
    rmSync(path, { force: true });
  } catch {
    // what is left of a cache harms nobody
  }
};

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Owned by this user, not a link, and nobody else may write it. */
const isOurs = (path: string): boolean => {
  const stat = lstatSync(path);
  return !stat.isSymbolicLink() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
};
