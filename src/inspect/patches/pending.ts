import { compareDebianVersions } from './debian-version.ts';
import { isSecurityArchive, releaseOf, type ArchiveRelease } from './archive-lists.ts';
import { keptBackReasons } from './kept-back.ts';
import { parsePolicy, type PackagePolicy, type PolicyVersion } from './policy.ts';
import { parseSimulation } from './simulation.ts';
import type { AptOutputs } from './simulate.ts';
import type { PendingUpgrade } from './report.ts';

/**
 * Joins what apt would do with what the lists know: every installed package for which there is a newer version that
 * apt would take, or would take but for a pin.
 *
 * @param held as apt names them
 */
export const pendingUpgrades = (
  outputs: AptOutputs,
  releases: readonly ArchiveRelease[],
  held: ReadonlySet<string>,
): PendingUpgrade[] => {
  const waiting = parsePolicy(outputs.policy).flatMap((policy) => {
    const upgrade = newerVersion(policy, releases);
    return upgrade === null ? [] : [{ policy, ...upgrade }];
  });
  const reasonOf = keptBackReasons({
    upgrade: parseSimulation(outputs.upgrade),
    distUpgrade: parseSimulation(outputs.distUpgrade),
    depends: outputs.depends,
    refusal: outputs.upgradeError,
    held,
    waiting: new Map(waiting.map((each) => [each.policy.name, each])),
  });
  return waiting
    .map(({ policy, installed, target }): PendingUpgrade => {
      const missed = policy.versions.filter(
        ({ version }) =>
          compareDebianVersions(version, installed) > 0 &&
          compareDebianVersions(version, target.version) <= 0,
      );
      const security = missed.filter((version) =>
        version.archives.some((archive) => isSecurityArchive(archive, releaseOf(archive, releases))),
      );
      return {
        package: policy.name,
        installed,
        candidate: target.version,
        security: security.length > 0,
        securityVersions: security.map(({ version }) => version),
        archives: target.archives.map(({ uri, suite }) => `${uri} ${suite}`),
        publicBy: oldestDate(security.length > 0 ? security : missed, releases),
        keptBack: reasonOf(policy.name),
      };
    })
    .toSorted((a, b) => Number(b.security) - Number(a.security) || (a.package < b.package ? -1 : 1));
};

/** A package that could be newer, and the version that it would get. */
export type Waiting = { policy: PackagePolicy; installed: string; target: PolicyVersion; pinned: boolean };

const newerVersion = (
  policy: PackagePolicy,
  releases: readonly ArchiveRelease[],
): Omit<Waiting, 'policy'> | null => {
  const { installed, candidate } = policy;
  if (installed === null) return null;
  if (candidate !== null && compareDebianVersions(candidate, installed) > 0) {
    const target = policy.versions.find(({ version }) => version === candidate);
    if (target !== undefined) return { installed, target, pinned: false };
  }
  const kept = policy.versions.find(({ version }) => version === (candidate ?? installed));
  const heldOff = policy.versions.find(
    (row) =>
      compareDebianVersions(row.version, installed) > 0 &&
      row.archives.some((archive) => {
        const release = releaseOf(archive, releases);
        if (release?.notAutomatic === true) return false;
        return isPinned(row) || (kept !== undefined && isPinned(kept)) || isSecurityArchive(archive, release);
      }),
  );
  return heldOff === undefined ? null : { installed, target: heldOff, pinned: true };
};

/**
 * A pin of this package or version: without one, a version weighs what its best archive weighs, or 100 as installed.
 * (An archive that is weighed down as a whole is the operator's choice of archives, and no news, unless it is a
 * security archive.)
 */
const isPinned = (row: PolicyVersion): boolean =>
  row.priority !== 100 && !row.archives.some(({ priority }) => priority === row.priority);

const oldestDate = (versions: readonly PolicyVersion[], releases: readonly ArchiveRelease[]): string | null =>
  versions
    .flatMap(({ archives }) => archives)
    .flatMap((archive) => releaseOf(archive, releases)?.date ?? [])
    .toSorted()[0] ?? null;
