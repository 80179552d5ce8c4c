/** One package of `/var/lib/dpkg/status` that is more than its configuration files (dpkg(1), "Package states"). */
export type DpkgPackage = {
  name: string;
  architecture: string;
  version: string;
  /** Source package and its version, which differ from the binary's after a binary-only rebuild. */
  source: string;
  sourceVersion: string;
  /** What dpkg was asked to do: `install`, `hold`, `deinstall`, `purge`, `unknown`. */
  want: string;
  /** `ok`, or `reinstreq` where the package is broken and must be installed again. */
  flag: string;
  /** `installed`, `unpacked`, `half-configured`, `half-installed`, `triggers-awaited`, `triggers-pending`. */
  state: string;
};

const fields = /^(Package|Status|Architecture|Version|Source): (.*)$/gm;

/** Parses the text of `dpkg/status`. Packages that are not installed, or of which only conffiles are left, are left out. */
export const parseDpkgStatus = (text: string): DpkgPackage[] => {
  const packages: DpkgPackage[] = [];
  for (const stanza of text.split(/\n{2,}/)) {
    const found: Record<string, string> = {};
    for (const [, key = '', value = ''] of stanza.matchAll(fields)) found[key] ??= value.trim();
    const name = found['Package'];
    const [want = '', flag = '', state = ''] = (found['Status'] ?? '').split(/\s+/);
    if (name === undefined || state === '' || state === 'not-installed' || state === 'config-files') continue;
    const version = found['Version'] ?? '';
    const [source = name, sourceVersion = version] = (found['Source'] ?? name)
      .replace(/[()]/g, '')
      .split(/\s+/);
    packages.push({
      name,
      architecture: found['Architecture'] ?? '',
      version,
      source,
      sourceVersion,
      want,
      flag,
      state,
    });
  }
  return packages;
};

/** The architecture whose packages apt names without a suffix: that of dpkg itself; `null` where dpkg is no package. */
export const nativeArchitecture = (packages: readonly DpkgPackage[]): string | null =>
  packages.find((candidate) => candidate.name === 'dpkg')?.architecture ?? null;

/** The name that apt uses: `libc6`, and `libc6:i386` for another architecture than the native one. */
export const aptName = (entry: { name: string; architecture: string }, native: string | null): string =>
  entry.architecture === 'all' || native === null || entry.architecture === native
    ? entry.name
    : `${entry.name}:${entry.architecture}`;
