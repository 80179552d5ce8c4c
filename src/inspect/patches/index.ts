import type { Clock } from '#base/clock';
import type { CouldNotLook, Looked } from '#base/looked';
import { messageOf } from '#base/errors';
import { formatMicros } from '#base/rfc3339';
import { initSystem, textOf, thisHost, type HostPaths } from '../host.ts';
import { packageFinder } from '../services/packages.ts';
import { readListsAge, type ListsAge } from './archive-lists.ts';
import { examineAutomatic } from './automatic.ts';
import { distributionSupport, readOsRelease } from './distribution.ts';
import { lastUpgrade } from './dpkg-log.ts';
import { aptName, nativeArchitecture, parseDpkgStatus, type DpkgPackage } from './dpkg-status.ts';
import { listIfThere, readIfThere, statIfThere } from './host-files.ts';
import { examineKernel, type KernelReport } from './kernel.ts';
import { pendingUpgrades } from './pending.ts';
import type { PatchesReport, PendingUpgrade, Reboot } from './report.ts';
import { defaultCacheDirectory, fingerprint, recall, remember } from './simulation-cache.ts';
import { simulateUpgrades, type AptOutputs } from './simulate.ts';
import { readSources, type SourceEntry } from './sources.ts';
import { findStalePrograms } from './stale-programs.ts';

export type { KeptBack, PatchesReport, PendingUpgrade, Reboot, UnfinishedPackage } from './report.ts';
export type { ArchiveRelease, ListsAge } from './archive-lists.ts';
export type { Automatic } from './automatic.ts';
export type { DistributionSupport, SupportPhase } from './distribution.ts';
export type { KernelImage, KernelReport } from './kernel.ts';
export type { SourceEntry } from './sources.ts';
export type { StaleFile, StaleProgram } from './stale-programs.ts';

export type CollectPatchesOptions = {
  clock: Clock;
  /** Where apt's answers are kept; default `/var/cache/holdfast` for root, else `$XDG_CACHE_HOME/holdfast`. `null`: nowhere. */
  cacheDir?: string | null;
  /** Default: the host that this process runs on. */
  paths?: HostPaths;
};

/** Examines patches: what is pending and why it is kept back, what is out of support, what still runs old code. */
export const collectPatches = async ({
  clock,
  cacheDir,
  paths = thisHost,
}: CollectPatchesOptions): Promise<PatchesReport> => {
  const started = clock.elapsed();
  const { root } = paths;
  const couldNotLook: CouldNotLook[] = [];
  const attempt = <T>(what: string, remedy: string, look: () => T): T | null => {
    try {
      return look();
    } catch (error) {
      couldNotLook.push({ what, why: messageOf(error), remedy });
      return null;
    }
  };

  const os = attempt('distribution release', 'run as root', () => readOsRelease(root));
  const status = attempt('installed packages', 'run as root', () =>
    readIfThere(`${root}/var/lib/dpkg/status`),
  );
  const packages = status === null ? null : parseDpkgStatus(status);
  const sources = attempt('package sources', 'run as root', () => readSources(root)) ?? [];
  const lists = attempt('package lists', 'run as root', () => readListsAge(root, sources));

  const asking =
    packages === null
      ? null
      : askApt(root, packages, cacheDir === undefined ? defaultCache() : cacheDir, clock);
  const kernel = examineKernel(paths, packages ?? []);
  const stalePrograms = await findStalePrograms(paths, packageFinder());
  const automatic = packages === null ? null : await examineAutomatic(paths, packages);
  if (packages !== null && automatic === null) {
    couldNotLook.push({
      what: 'whether upgrades are installed automatically',
      why: 'apt-config did not run',
      remedy: 'run `apt-config dump`',
    });
  }
  const answer = await asking;
  const upgrades = judgeUpgrades(
    answer?.outputs ?? null,
    answer?.couldNotLook ?? [],
    packages,
    lists,
    sources,
  );

  const today = formatMicros(clock.now()).slice(0, 10);
  const distribution =
    os === null
      ? null
      : attempt('end of life', 'run as root', () => distributionSupport(root, os, sources, today));
  if (distribution === null) {
    couldNotLook.push({
      what: 'end of life of the distribution',
      why: os === null ? 'there is no os-release file' : `${os.pretty ?? os.id} is not in the table`,
      remedy: 'install or update the package distro-info-data, or look it up at the distributor',
    });
  }
  couldNotLook.push(...upgrades.couldNotLook, ...kernel.couldNotLook, ...stalePrograms.couldNotLook);
  return {
    time: formatMicros(clock.now()),
    system: os?.pretty ?? null,
    packageManager: packages === null ? 'other' : 'dpkg',
    upgrades,
    lists,
    sources,
    distribution,
    kernel,
    init: initSystem(paths),
    reboot: judgeReboot(paths, kernel),
    stalePrograms,
    packages:
      packages === null
        ? null
        : {
            ...summarise(packages),
            interrupted:
              attempt('whether dpkg was interrupted', 'run as root', () => wasInterrupted(root)) ?? false,
          },
    automatic,
    lastUpgrade: attempt('when packages were last upgraded', 'run as root', () => lastUpgrade(root)),
    simulation: answer === null ? null : { cached: answer.cached, milliseconds: answer.milliseconds },
    milliseconds: Math.round(clock.elapsed() - started),
    couldNotLook,
  };
};

const defaultCache = (): string | null => defaultCacheDirectory(process.env, process.getuid?.() ?? -1);

type Answer = {
  outputs: AptOutputs | null;
  couldNotLook: CouldNotLook[];
  cached: boolean;
  milliseconds: number;
};

const askApt = async (
  root: string,
  packages: readonly DpkgPackage[],
  cache: string | null,
  clock: Clock,
): Promise<Answer> => {
  const started = clock.elapsed();
  const elapsed = (): number => Math.round(clock.elapsed() - started);
  const asked = fingerprint(root);
  const known = cache === null ? null : recall(cache, asked);
  if (known !== null) return { outputs: known, couldNotLook: [], cached: true, milliseconds: elapsed() };
  const native = nativeArchitecture(packages);
  const runs = await simulateUpgrades(root, [...new Set(packages.map((entry) => aptName(entry, native)))]);
  if (runs.result === 'could-not-look') {
    return { outputs: null, couldNotLook: [runs.couldNotLook], cached: false, milliseconds: elapsed() };
  }
  // Something may have changed while apt was at it: then the answer belongs to neither fingerprint.
  if (cache !== null && fingerprint(root) === asked) remember(cache, asked, runs.outputs);
  return { outputs: runs.outputs, couldNotLook: [], cached: false, milliseconds: elapsed() };
};

const judgeUpgrades = (
  outputs: AptOutputs | null,
  failed: readonly CouldNotLook[],
  packages: readonly DpkgPackage[] | null,
  lists: ListsAge | null,
  sources: readonly SourceEntry[],
): Looked<PendingUpgrade[]> => {
  const couldNotLook = [...failed];
  if (packages === null) {
    couldNotLook.push({
      what: 'pending upgrades',
      why: 'there is no dpkg database (/var/lib/dpkg/status)',
      remedy: "ask this system's own package manager; Holdfast reads dpkg and apt",
    });
    return { result: 'could-not-look', couldNotLook };
  }
  const enabled = sources.filter((entry) => entry.enabled && entry.kind === 'deb');
  if (enabled.length === 0) {
    couldNotLook.push({
      what: 'pending upgrades',
      why: 'no package source is configured, so no update can become known',
      remedy: "add the distribution's archives to /etc/apt/sources.list.d/, then run `apt-get update`",
    });
    return { result: 'could-not-look', couldNotLook };
  }
  if (lists === null || lists.releases.length === 0) {
    couldNotLook.push({
      what: 'pending upgrades',
      why: 'there are no package lists in /var/lib/apt/lists',
      remedy: 'run `apt-get update`',
    });
    return { result: 'could-not-look', couldNotLook };
  }
  if (lists.missing.length > 0) {
    couldNotLook.push({
      what: `updates from ${lists.missing.join(', ')}`,
      why: 'there is no list of it',
      remedy: 'run `apt-get update`',
    });
  }
  if (outputs === null) return { result: 'could-not-look', couldNotLook };
  if (outputs.unreadable !== null) {
    couldNotLook.push({
      what: 'part of the configuration of apt',
      why: outputs.unreadable,
      remedy: 'run as root',
    });
  }
  if (outputs.upgradeError !== null) {
    couldNotLook.push({
      what: 'what an upgrade would do',
      why: outputs.upgradeError,
      remedy: 'run `apt-get check` and mend what it names',
    });
  }
  const native = nativeArchitecture(packages);
  const held = new Set(packages.filter(({ want }) => want === 'hold').map((entry) => aptName(entry, native)));
  const value = pendingUpgrades(outputs, lists.releases, held);
  return value.length > 0 ? { result: 'found', value, couldNotLook } : { result: 'clean', couldNotLook };
};

const judgeReboot = (paths: HostPaths, kernel: KernelReport): Reboot => {
  const reasons: string[] = [];
  const marker = ['/run/reboot-required', '/var/run/reboot-required'].find(
    (path) => statIfThere(paths.root + path) !== null,
  );
  if (marker !== undefined) {
    const names = (textOf(`${paths.root}${marker}.pkgs`) ?? '').split('\n').filter((name) => name !== '');
    reasons.push(
      names.length === 0 ? `${marker} exists` : `${marker} exists, for ${[...new Set(names)].join(', ')}`,
    );
  }
  if (kernel.verdict === 'older') reasons.push(kernel.why);
  if (reasons.length > 0) return { required: true, reasons };
  return kernel.verdict === 'unknown'
    ? { required: null, reasons: [kernel.why] }
    : { required: false, reasons };
};

const wasInterrupted = (root: string): boolean =>
  listIfThere(`${root}/var/lib/dpkg/updates`).some((name) => /^\d+$/.test(name));

const summarise = (
  packages: readonly DpkgPackage[],
): Omit<NonNullable<PatchesReport['packages']>, 'interrupted'> => {
  const native = nativeArchitecture(packages);
  return {
    installed: packages.filter(({ state }) => state === 'installed').length,
    held: packages.filter(({ want }) => want === 'hold').map((entry) => aptName(entry, native)),
    unfinished: packages
      .filter(
        ({ state, flag }) =>
          (state !== 'installed' && state !== 'triggers-pending' && state !== 'triggers-awaited') ||
          flag === 'reinstreq',
      )
      .map((entry) => ({
        package: aptName(entry, native),
        state: entry.flag === 'reinstreq' ? `${entry.state}, must be installed again` : entry.state,
        version: entry.version,
      })),
  };
};
