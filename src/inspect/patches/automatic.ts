import { lstatSync } from 'node:fs';
import { initSystem, type HostPaths } from '../host.ts';
import { runCommand } from './command.ts';
import { statIfThere } from './host-files.ts';
import { fromMilliseconds } from './times.ts';
import type { DpkgPackage } from './dpkg-status.ts';

/** Whether upgrades come without anybody asking for them. */
export type Automatic = {
  /** unattended-upgrades is installed. */
  installed: boolean;
  /** Days between runs, from `APT::Periodic::*`; 0 = never. */
  updateListsEvery: number;
  upgradeEvery: number;
  /** What starts apt's daily job; `null` = nothing does. */
  startedBy: 'systemd timer' | 'cron' | null;
  /** `Unattended-Upgrade::Automatic-Reboot`. */
  reboots: boolean;
  /** Last run of unattended-upgrades; RFC 3339. */
  lastRun: string | null;
};

/** Reads it from `apt-config dump`; `null` where apt-config does not run. */
export const examineAutomatic = async (
  paths: HostPaths,
  packages: readonly DpkgPackage[],
): Promise<Automatic | null> => {
  const { root } = paths;
  const settings = root === '' ? [] : ['-o', `Dir=${root}`];
  const outcome = await runCommand('apt-config', [...settings, 'dump']);
  if (!outcome.ran || outcome.status !== 0) return null;
  const setting = (name: string): string | null =>
    new RegExp(`^${RegExp.escape(name)} "(.*)";$`, 'm').exec(outcome.stdout)?.[1] ?? null;
  const enabled = setting('APT::Periodic::Enable') !== '0';
  const stamps = [
    '/var/lib/apt/periodic/unattended-upgrades-stamp',
    '/var/log/unattended-upgrades/unattended-upgrades.log',
  ]
    .map((path) => statIfThere(root + path)?.mtimeMs)
    .filter((time) => time !== undefined);
  return {
    installed: packages.some(({ name, state }) => name === 'unattended-upgrades' && state === 'installed'),
    updateListsEvery: enabled ? days(setting('APT::Periodic::Update-Package-Lists')) : 0,
    upgradeEvery: enabled ? days(setting('APT::Periodic::Unattended-Upgrade')) : 0,
    startedBy: starter(paths),
    reboots: setting('Unattended-Upgrade::Automatic-Reboot') === 'true',
    lastRun: stamps.length === 0 ? null : fromMilliseconds(Math.max(...stamps)),
  };
};

/** `1`, `7d`, `12h`, `always`; apt.systemd.daily. */
const days = (value: string | null): number => {
  if (value === null) return 0;
  if (value === 'always') return 1 / 24;
  const match = /^(\d+)([smhd]?)$/.exec(value);
  if (match === null) return 0;
  const seconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, '': 86_400 };
  return (Number(match[1]) * (seconds[match[2] ?? ''] ?? 86_400)) / 86_400;
};

const starter = (paths: HostPaths): Automatic['startedBy'] => {
  const { root } = paths;
  if (initSystem(paths) === 'systemd') {
    const timer = `${root}/etc/systemd/system/timers.target.wants/apt-daily-upgrade.timer`;
    try {
      lstatSync(timer);
      return 'systemd timer';
    } catch {
      return null;
    }
  }
  const cronRuns = statIfThere(`${root}/run/crond.pid`) !== null;
  return cronRuns && statIfThere(`${root}/etc/cron.daily/apt-compat`) !== null ? 'cron' : null;
};
