import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { listIfThere } from './host-files.ts';
import { fromMilliseconds } from './times.ts';

/**
 * When dpkg last replaced an installed package by a newer version: the newest `upgrade` line of `/var/log/dpkg.log`
 * and its rotated predecessors. The log is in local time without a zone; this process's zone is assumed. RFC 3339, or
 * `null` where no log tells.
 */
export const lastUpgrade = (root: string): string | null => {
  const logs = listIfThere(`${root}/var/log`)
    .flatMap((name) => {
      const match = /^dpkg\.log(?:\.(\d+)(?:\.gz)?)?$/.exec(name);
      return match === null ? [] : [{ name, age: Number(match[1] ?? 0) }];
    })
    .toSorted((a, b) => a.age - b.age);
  for (const { name } of logs) {
    const time = newestUpgrade(readLog(`${root}/var/log/${name}`));
    if (time !== null) return time;
  }
  return null;
};

const readLog = (path: string): string => {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  } catch {
    return '';
  }
};

const upgradeLine = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d) upgrade \S+ \S+ \S+$/gm;

export const newestUpgrade = (text: string): string | null => {
  let newest: string | null = null;
  for (const [, year, month, day, hour, minute, second] of text.matchAll(upgradeLine)) {
    const local = new Date(
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    );
    newest = fromMilliseconds(local.getTime());
  }
  return newest;
};
