import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FixError } from './errors.ts';
import { aptGet, simulateRemoval, type InstalledPackage } from './removal.ts';
import { lastWord, run } from './run.ts';

/** A package that is removed; the archive to install it from lies beside the journal. */
export type KeptPackage = InstalledPackage & { kept: string };

/** Packages to be removed, and their archives by the name that each is kept under. */
export type Kept = { packages: KeptPackage[]; kept: Map<string, Uint8Array> };

/** Where apt leaves what it has installed from. */
const archives = '/var/cache/apt/archives';
const fetchMs = 300_000;

/**
 * Gets the archive of each package, in the very version and build that is installed: from apt's cache, else from where
 * apt gets it.
 * @param work a directory for what is fetched; it is gone when this returns
 * @throws FixError `check-failed` where one cannot be had, or apt would not remove just these any more
 */
export const keepPackages = async (packages: readonly InstalledPackage[], work: string): Promise<Kept> => {
  const kept = new Map<string, Uint8Array>();
  const all: KeptPackage[] = [];
  if (packages.length === 0) return { packages: all, kept };
  await checkOnlyThese(packages);
  // What a kill may have left.
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true, mode: 0o700 });
  try {
    for (const [number, one] of packages.entries()) {
      const name = `${number}.deb`;
      kept.set(name, readFileSync(await archiveOf(one, work)));
      all.push({ ...one, kept: name });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { packages: all, kept };
};

/** @throws FixError `check-failed` where apt would not remove just these any more: others need them by now, say */
export const checkOnlyThese = async (packages: readonly InstalledPackage[]): Promise<void> => {
  if (packages.length === 0) return;
  const names = packages.map(({ name }) => name).toSorted();
  const now = await simulateRemoval(names);
  if ('why' in now || now.join() !== names.join())
    throw new FixError(
      'check-failed',
      `nothing was changed: apt would not remove just ${names.join(', ')} any more (${'why' in now ? now.why : now.join(', ')}). Run it again`,
    );
};

const archiveOf = async (one: InstalledPackage, work: string): Promise<string> => {
  const { name, version, architecture } = one;
  const file = `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
  const cached = join(archives, file);
  if (await isSame(one, cached)) return cached;
  const fetched = await run(
    ['env', `--chdir=${work}`, 'apt-get', '--quiet', 'download', '--', `${name}=${version}`],
    fetchMs,
  );
  const found = readdirSync(work).find((entry) => entry.startsWith(`${name}_`));
  if (found !== undefined && (await isSame(one, join(work, found)))) return join(work, found);
  throw new FixError(
    'check-failed',
    `nothing was changed: ${name} ${version} as it is installed can be had neither from ${archives} nor by apt-get download (${lastWord(fetched)}), so its removal could not be undone. Put ${file} into ${archives}, or remove it by hand`,
  );
};

/** A line for each file of a package; linux-source and its like have more than a mebibyte. */
const mostSums = 64 * 1024 * 1024;

/**
 * Whether a file is the archive that the package was installed from, whole: name, version, and the sums of all its files.
 * A package without sums could be of any build: it is not known to be the same.
 */
export const isSame = async (
  { name, version, architecture }: InstalledPackage,
  file: string,
): Promise<boolean> => {
  const [fields, whole, sums, installed] = await Promise.all([
    run(['dpkg-deb', '--show', '--showformat=${Package} ${Version} ${Architecture}', file]),
    run(['dpkg-deb', '--contents', file]),
    run(['dpkg-deb', '--info', file, 'md5sums'], undefined, mostSums),
    run(['dpkg-query', '--control-show', name, 'md5sums'], undefined, mostSums),
  ]);
  return (
    whole.status === 0 &&
    sums.status === 0 &&
    installed.status === 0 &&
    fields.stdout === `${name} ${version} ${architecture}` &&
    sums.stdout === installed.stdout
  );
};

/** What dpkg says of packages now, by name: `ii` is installed (dpkg-query(1)). */
const statusOf = async (packages: readonly InstalledPackage[]): Promise<Map<string, string>> => {
  const format = '${Package} ${db:Status-Abbrev}\\n';
  const names = packages.map(({ name }) => name);
  const { stdout } = await run(['dpkg-query', '--show', `--showformat=${format}`, '--', ...names]);
  return new Map(
    stdout.split('\n').flatMap((line): [string, string][] => {
      const [name = '', status = ''] = line.split(' ');
      return name === '' ? [] : [[name, status]];
    }),
  );
};

/** Those that are installed whole. */
export const stillInstalled = async (packages: readonly KeptPackage[]): Promise<KeptPackage[]> => {
  if (packages.length === 0) return [];
  const status = await statusOf(packages);
  return packages.filter(({ name }) => status.get(name) === 'ii');
};

/** Removing and installing run the packages' scripts, and wait for their daemons. */
export const packagesMs = 600_000;

/**
 * Installs what was removed, from the archives that were kept; what somebody has installed again meanwhile stays. May be
 * repeated, also after dpkg was interrupted.
 * @returns why it is not as before; `null` where it is
 */
export const installAgain = async (
  directory: string,
  packages: readonly KeptPackage[],
): Promise<string | null> => {
  // Takes apt's lock: an apt that a killed fix has left at work is waited for.
  const check = await run(aptGet('check'), packagesMs);
  // What else apt says (dpkg was interrupted, dependencies are missing) is what is mended here.
  if (check.status === null || /^E: .*\block\b/m.test(check.stderr))
    return `${packages.map(({ name, version }) => `${name} ${version}`).join(', ')}: whether ${packages.length === 1 ? 'it is' : 'they are'} there cannot be told while another apt is at work: ${lastWord(check)}`;
  const there = new Set((await stillInstalled(packages)).map(({ name }) => name));
  const gone = packages.filter(({ name }) => !there.has(name));
  if (gone.length === 0) return null;
  await run(['dpkg', '--configure', '--pending'], packagesMs);
  const outcome = await run(
    aptGet(
      '-o',
      'Dpkg::Options::=--force-confold',
      '--no-remove',
      '--no-install-recommends',
      'install',
      '--',
      ...gone.map(({ kept }) => join(directory, kept)),
    ),
    packagesMs,
  );
  const automatic = gone.filter((one) => one.automatic).map(({ name }) => name);
  if (automatic.length > 0) await run(['apt-mark', 'auto', '--', ...automatic]);
  const installed = await stillInstalled(gone);
  if (outcome.status === 0 && installed.length === gone.length) return null;
  const why = lastWord(outcome);
  return `${gone.map(({ name, version }) => `${name} ${version}`).join(', ')} could not be installed again: ${why}`;
};
