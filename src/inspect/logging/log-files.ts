import {
  closeSync,
  lstatSync,
  openSync,
  constants,
  readdirSync,
  readSync,
  statSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import type { CouldNotLook } from '#base/looked';
import { systemCode } from '#base/errors';
import { fromMilliseconds } from '../patches/times.ts';
import type { ForeignFiles } from './own-output.ts';
import type { HoldfastShipping } from './report.ts';
import { takesIn, type Shipper } from './shippers.ts';
import type { Rotation } from './rotation.ts';

/** A file that grows. */
export type LogFile = {
  path: string;
  bytes: number | null;
  /** Last change; RFC 3339. */
  modified: string | null;
  /** `empty` and `unreadable` files could be either. */
  content: 'text' | 'binary' | 'empty' | 'unreadable';
  /** Processes that have it open for writing. */
  writers: { pid: number; name: string; append: boolean }[];
  /** It has no name any more: what is written goes when the process ends. */
  deleted: boolean;
  /** Who takes it off the host (or into Holdfast); `null` = nobody. */
  shippedBy: string | null;
  /** logrotate takes care of it. */
  rotated: boolean;
};

export type LogPermission = {
  path: string;
  problem: 'anybody may write it' | 'anybody may put files into it' | 'anybody may read it';
  mode: string;
};

type Found = { path: string; stat: Stats };

const week = 7 * 86_400_000;
const maximum = 20_000;
/** Rotated and packed away: nothing is appended to it. */
const archived = /\.(?:gz|xz|bz2|zst|old)$|\.\d{1,3}$|-\d{8}(?:-\d+)?$|\.journal~?$/;
/** Logs that tell of logins and privileges. */
const sensitive = /\/(?:auth\.log|secure|sudo\.log|btmp|audit\/audit\.log|term\.log)$/;

/** Regular files and directories below `/var/log`, not followed through links. */
export const walkLogs = (
  root: string,
): { files: Found[]; directories: Found[]; couldNotLook: CouldNotLook[] } => {
  const result: ReturnType<typeof walkLogs> = { files: [], directories: [], couldNotLook: [] };
  const closed: string[] = [];
  const queue = [`${root}/var/log`];
  for (
    let directory = queue.pop();
    directory !== undefined && result.files.length < maximum;
    directory = queue.pop()
  ) {
    let names: string[];
    try {
      result.directories.push({ path: directory, stat: lstatSync(directory) });
      names = readdirSync(directory);
    } catch (error) {
      if (systemCode(error) === 'EACCES') closed.push(directory);
      continue;
    }
    for (const name of names) {
      const path = join(directory, name);
      const stat = quietly(() => lstatSync(path));
      if (stat?.isDirectory() === true) queue.push(path);
      else if (stat?.isFile() === true) result.files.push({ path, stat });
    }
  }
  if (closed.length > 0)
    result.couldNotLook.push({
      what: `logs in ${closed.join(', ')}`,
      why: 'the directory may not be read',
      remedy: 'run as root',
    });
  if (result.files.length >= maximum) {
    result.couldNotLook.push({
      what: `more than ${maximum} files below ${root}/var/log`,
      why: 'too many to look at each',
      remedy: 'rotate or remove old ones',
    });
  }
  return result;
};

/** Joins what lies under /var/log with what processes have open, and says who ships each. */
export const growingFiles = ({
  onDisk,
  open: { files: open, own: ownOutput },
  shippers,
  rotation,
  holdfast,
  now,
}: {
  onDisk: readonly Found[];
  open: ForeignFiles;
  shippers: readonly Shipper[];
  rotation: Rotation;
  holdfast: HoldfastShipping | null;
  /** Milliseconds since the epoch. */
  now: number;
}): LogFile[] => {
  const files = new Map<string, LogFile>();
  const own = holdfast?.ownDirectories ?? [];
  const isOwn = (path: string): boolean =>
    ownOutput.has(path) || own.some((directory) => path.startsWith(`${directory}/`));
  const add = (path: string, stat: Stats | null, deleted: boolean): LogFile => {
    const key = deleted ? `${path}\0deleted` : path;
    const known = files.get(key);
    if (known !== undefined) return known;
    const content = stat === null || deleted ? 'unreadable' : stat.size === 0 ? 'empty' : contentOf(path);
    const file: LogFile = {
      path,
      bytes: stat?.size ?? null,
      modified: stat === null ? null : fromMilliseconds(stat.mtimeMs),
      content,
      writers: [],
      deleted,
      shippedBy: deleted ? null : shipperOf(path, stat, content, shippers, holdfast),
      rotated: rotation.patterns.some((pattern) => takesIn(pattern, path)),
    };
    files.set(key, file);
    return file;
  };
  for (const { path, stat } of onDisk) {
    if (!archived.test(path) && now - stat.mtimeMs < week && !isOwn(path)) add(path, stat, false);
  }
  for (const { path, deleted, process, append } of open) {
    if (isOwn(path) || (archived.test(path) && !deleted)) continue;
    const stat = deleted ? null : quietly(() => statSync(path));
    if (stat !== null && !stat.isFile()) continue;
    add(path, stat, deleted).writers.push({ pid: process.pid, name: process.name, append });
  }
  return [...files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
};

/** As the kernel judges it by the permission bits; access control lists are not looked at. */
const mayRead = (stat: Stats | null, reader: HoldfastShipping['reader']): boolean => {
  if (reader === undefined || reader.uid === 0 || stat === null) return true;
  const bit = stat.uid === reader.uid ? 0o400 : reader.groups.includes(stat.gid) ? 0o040 : 0o004;
  return (stat.mode & bit) !== 0;
};

const shipperOf = (
  path: string,
  stat: Stats | null,
  content: LogFile['content'],
  shippers: readonly Shipper[],
  holdfast: HoldfastShipping | null,
): string | null => {
  if (
    content !== 'binary' &&
    mayRead(stat, holdfast?.reader) &&
    holdfast?.files.some((place) => path === place || path.startsWith(`${place}/`)) === true
  )
    return 'holdfast';
  for (const shipper of shippers) {
    if (shipper.pid === null) continue;
    const leaves =
      shipper.destinations.length === 0 || shipper.destinations.some(({ leavesHost }) => leavesHost);
    if (leaves && shipper.reads.some((pattern) => takesIn(pattern, path))) return shipper.name;
    const inFull = shipper.destinations.some(
      ({ leavesHost, selector }) => leavesHost && (selector === null || selector === '*.*'),
    );
    if (inFull && shipper.writes.includes(path)) return shipper.name;
  }
  return null;
};

const mode = (stat: Stats): string => (stat.mode & 0o7777).toString(8).padStart(4, '0');

/** Files and directories whose mode lets the wrong people in. */
export const wrongPermissions = (files: readonly Found[], directories: readonly Found[]): LogPermission[] => {
  const problems: LogPermission[] = [];
  for (const { path, stat } of directories) {
    if ((stat.mode & 0o002) !== 0 && (stat.mode & 0o1000) === 0)
      problems.push({ path, problem: 'anybody may put files into it', mode: mode(stat) });
  }
  for (const { path, stat } of files) {
    if ((stat.mode & 0o002) !== 0) problems.push({ path, problem: 'anybody may write it', mode: mode(stat) });
    else if ((stat.mode & 0o004) !== 0 && sensitive.test(path))
      problems.push({ path, problem: 'anybody may read it', mode: mode(stat) });
  }
  return problems;
};

/** A NUL in the first block means that it is no text. Never waits for a FIFO and never follows a link. */
const contentOf = (path: string): LogFile['content'] => {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch {
    return 'unreadable';
  }
  try {
    const block = Buffer.alloc(4096);
    const length = readSync(fd, block, 0, block.length, 0);
    return length === 0 ? 'empty' : block.subarray(0, length).includes(0) ? 'binary' : 'text';
  } catch {
    return 'unreadable';
  } finally {
    closeSync(fd);
  }
};

const quietly = <T>(look: () => T): T | null => {
  try {
    return look();
  } catch {
    return null;
  }
};
