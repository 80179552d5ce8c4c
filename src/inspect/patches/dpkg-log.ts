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
  for (const { name } of logsOf(root)) {
    const time = newestUpgrade(readLog(`${root}/var/log/${name}`));
    if (time !== null) return time;
  }
  return null;
};

/** The log and its predecessors, the newest first. */
const logsOf = (root: string): { name: string; age: number }[] =>
  listIfThere(`${root}/var/log`)
    .flatMap((name) => {
      const match = /^dpkg\.log(?:\.(\d+)(?:\.gz)?)?$/.exec(name);
      return match === null ? [] : [{ name, age: Number(match[1] ?? 0) }];
    })
    .toSorted((a, b) => a.age - b.age);

/** What dpkg did to a package. */
export type PackageChange = {
  /** RFC 3339. */
  time: string;
  did: 'install' | 'upgrade' | 'remove' | 'purge';
  name: string;
  /** The version before, and after it; `null` where there is none. */
  from: string | null;
  to: string | null;
};

/** All that the newest two logs of dpkg have, the oldest first. */
export const packageChanges = (root: string): PackageChange[] =>
  logsOf(root)
    .slice(0, 2)
    .toReversed()
    .flatMap(({ name }) => parseChanges(readLog(`${root}/var/log/${name}`)));

/** Lines of dpkg.log: `2026-05-12 03:00:07 install nginx:amd64 <none> 1.22.1-9`, in local time. */
export const parseChanges = (text: string): PackageChange[] =>
  [
    ...text.matchAll(
      /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (install|upgrade|remove|purge) (\S+?)(?::\S+)? (\S+) (\S+)$/gm,
    ),
  ].map(([, day, clock, did, name = '', from, to]) => ({
    time: fromMilliseconds(new Date(`${day}T${clock}`).getTime()),
    did: did === 'install' || did === 'upgrade' || did === 'remove' ? did : 'purge',
    name,
    from: from === '<none>' ? null : (from ?? null),
    to: to === '<none>' ? null : (to ?? null),
  }));

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
