import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readSync, writeSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import type { Corpus } from '../corpus/corpus.ts';
import { warm } from '../run/settle-disk.ts';

const LF = 0x0a;
const pieceBytes = 32 * 1024 * 1024;

/**
 * The corpus as syslog-ng lays it out, a file per host and program: what `file("…/${HOST}/${PROGRAM}.log")` of
 * syslog-ng/config.ts writes, which the ingest bench compares byte for byte.
 */
export const layOut = ({ path }: Corpus, out: string): void => {
  const source = openSync(path, 'r');
  const files = new Map<string, number>();
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  for (let kept = 0; ;) {
    const length = kept + readSync(source, buffer, kept, buffer.length - kept, null);
    const end = buffer.subarray(0, length).lastIndexOf(LF) + 1;
    if (end === 0) break;
    const lines = buffer.toString('latin1', 0, end);
    const parts = new Map<string, string[]>();
    for (let at = 0; at < end;) {
      const next = lines.indexOf('\n', at) + 1;
      const host = lines.indexOf(' ', lines.indexOf(' ', at) + 1) + 1;
      const app = lines.indexOf(' ', host) + 1;
      const name = `${lines.slice(host, app - 1)}/${lines.slice(app, lines.indexOf(' ', app))}.log`;
      const part = parts.get(name);
      if (part === undefined) parts.set(name, [lines.slice(at, next)]);
      else part.push(lines.slice(at, next));
      at = next;
    }
    for (const [name, part] of parts) writeSync(opened(files, out, name), part.join(''), null, 'latin1');
    buffer.copyWithin(0, end, length);
    kept = length - end;
  }
  for (const file of [source, ...files.values()]) closeSync(file);
};

const opened = (files: Map<string, number>, out: string, name: string): number => {
  const known = files.get(name);
  if (known !== undefined) return known;
  mkdirSync(join(out, name, '..'), { recursive: true });
  const file = openSync(join(out, name), 'w');
  files.set(name, file);
  return file;
};

/** The same files beside them, as logrotate leaves them behind. */
export const compress = (out: string, compressed: string): void => {
  execFileSync('cp', ['-r', out, compressed]);
  execFileSync('gzip', ['-r', '-1', compressed]);
};

/** Drops files from the page cache; of one that is gone there is nothing to drop. */
const forgetEach =
  'for f do dd if="$f" iflag=nocache count=0 status=none 2>/dev/null || [ ! -e "$f" ] || exit 1; done';
const atOnce = 1000;

/** Tells the kernel to forget what it holds of these files, and of no others. Merges may take files away meanwhile. */
export const forget = (directory: string): void => {
  execFileSync('sync', ['--file-system', directory]);
  const files = filesBelow(directory);
  for (let at = 0; at < files.length; at += atOnce)
    execFileSync('sh', ['-c', forgetEach, 'sh', ...files.slice(at, at + atOnce)]);
};

/** Reads all of them, as a host has the files that it works with in memory. Merges may take files away meanwhile. */
export const remember = (directory: string): void => {
  for (const file of filesBelow(directory)) {
    try {
      warm(file);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
};

const filesBelow = (directory: string): string[] => {
  const path = ({ name }: { name: string }): string => join(directory, name);
  const found = entriesOf(directory);
  return [
    ...found.filter((one) => one.isFile()).map(path),
    ...found.filter((one) => one.isDirectory()).flatMap((one) => filesBelow(path(one))),
  ];
};

const entriesOf = (directory: string): Dirent[] => {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
};
