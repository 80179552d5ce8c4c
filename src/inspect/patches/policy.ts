/** What `apt-cache policy NAME…` says of one package. */
export type PackagePolicy = {
  /** As apt prints it: with `:arch` unless native. */
  name: string;
  installed: string | null;
  candidate: string | null;
  /** Newest first, as apt orders them. */
  versions: PolicyVersion[];
};

export type PolicyVersion = {
  version: string;
  /** What apt weighs it with, after pins. */
  priority: number;
  /** Percentage of hosts that are offered this version by now; `null` = everybody. */
  phasedPercent: number | null;
  /** Archives that carry it; the host's own dpkg status is left out. */
  archives: PolicyArchive[];
};

export type PolicyArchive = {
  priority: number;
  uri: string;
  /** As in the source entry: `bookworm-security`, `buster/updates`, `./`. */
  suite: string;
};

const header = /^(\S+):$/;
const versionRow = /^(?: {5}| \*\*\* )(\S+) (-?\d+)(?: \(phased (\d+)%\))?$/;
const archiveRow = /^ {6,}(-?\d+) (\S+:\/?\S*) (\S+)(?: |$)/;

/** Parses the output of `LC_ALL=C apt-cache policy NAME…`; packages unknown to apt print nothing and are absent. */
export const parsePolicy = (text: string): PackagePolicy[] => {
  const policies: PackagePolicy[] = [];
  let policy: PackagePolicy | null = null;
  for (const line of text.split('\n')) {
    const named = header.exec(line);
    if (named !== null) {
      policy = { name: named[1] ?? '', installed: null, candidate: null, versions: [] };
      policies.push(policy);
      continue;
    }
    if (policy === null) continue;
    const value = /^ {2}(Installed|Candidate): (\S+)$/.exec(line);
    if (value !== null) {
      const version = value[2] === '(none)' ? null : (value[2] ?? null);
      if (value[1] === 'Installed') policy.installed = version;
      else policy.candidate = version;
      continue;
    }
    const row = versionRow.exec(line);
    if (row !== null) {
      const [, version = '', priority = '0', percent] = row;
      policy.versions.push({
        version,
        priority: Number(priority),
        phasedPercent: percent === undefined ? null : Number(percent),
        archives: [],
      });
      continue;
    }
    const file = archiveRow.exec(line);
    if (file !== null) {
      const [, priority = '0', uri = '', place = ''] = file;
      policy.versions.at(-1)?.archives.push({ priority: Number(priority), uri, suite: suiteOf(place) });
    }
  }
  return policies;
};

/** `bookworm/main` → `bookworm`, `buster/updates/main` → `buster/updates`, `./` (a flat archive) stays. */
const suiteOf = (place: string): string => {
  if (place.endsWith('/')) return place;
  const slash = place.lastIndexOf('/');
  return slash < 0 ? place : place.slice(0, slash);
};
