/** What `apt-get -s upgrade` or `-s dist-upgrade` says it would do. Package names as apt prints them (`libc6:i386`). */
export type Simulation = {
  installs: SimulatedInstall[];
  removes: { name: string; version: string | null }[];
  /** Under the heading of packages that are kept back, whatever the reason. */
  keptBack: string[];
  /** Under the heading of upgrades deferred by phasing (apt ≥ 2.7; before, they are among `keptBack`). */
  phased: string[];
};

export type SimulatedInstall = {
  name: string;
  /** `null` where the package is new to the host. */
  from: string | null;
  to: string;
  /** Archives that carry the version, e.g. `Debian-Security:12/oldstable-security`. */
  archives: string[];
};

const install = /^Inst (\S+)(?: \[([^\]]*)\])? \((\S+) (.*?)(?: \[[^\]]*\])?\)/;
const remove = /^Remv (\S+)(?: \[([^\]]*)\])?/;

/** Both generations of headings: up to apt 2.8, and `APT::Output-Version` 30 of apt 3. */
const keptBackHeadings = new Set(['The following packages have been kept back:', 'Not upgrading:']);
const phasedHeadings = new Set([
  'The following upgrades have been deferred due to phasing:',
  'Not upgrading yet due to phasing:',
]);

/** Parses the output of `LC_ALL=C apt-get -s upgrade` or `dist-upgrade`. */
export const parseSimulation = (text: string): Simulation => {
  const simulation: Simulation = { installs: [], removes: [], keptBack: [], phased: [] };
  let listing: string[] | null = null;
  for (const line of text.split('\n')) {
    if (listing !== null && line.startsWith('  ')) {
      listing.push(
        ...line
          .trim()
          .split(/\s+/)
          .map((name) => name.replace(/\*$/, '')),
      );
      continue;
    }
    const heading = line.trimEnd();
    listing = keptBackHeadings.has(heading)
      ? simulation.keptBack
      : phasedHeadings.has(heading)
        ? simulation.phased
        : null;
    const inst = install.exec(line);
    if (inst !== null) {
      const [, name = '', from, to = '', archives = ''] = inst;
      simulation.installs.push({
        name,
        from: from ?? null,
        to,
        archives: archives.split(', ').filter((archive) => archive !== ''),
      });
      continue;
    }
    const remv = remove.exec(line);
    if (remv !== null) simulation.removes.push({ name: remv[1] ?? '', version: remv[2] ?? null });
  }
  return simulation;
};
