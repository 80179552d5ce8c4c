import type { KeptBack } from './report.ts';
import type { Simulation } from './simulation.ts';
import type { Waiting } from './pending.ts';

type Evidence = {
  upgrade: Simulation;
  distUpgrade: Simulation;
  /** Output of `apt-cache depends` for what only dist-upgrade would install. */
  depends: string;
  refusal: string | null;
  held: ReadonlySet<string>;
  waiting: ReadonlyMap<string, Waiting>;
};

const reason = (kind: KeptBack['reason'], detail: string): KeptBack => ({
  reason: kind,
  detail,
  installs: [],
  removes: [],
});

/** Says why `apt-get upgrade` leaves a package, or `null` if it does not leave it. */
export const keptBackReasons = (evidence: Evidence): ((name: string) => KeptBack | null) => {
  const { upgrade, distUpgrade, refusal, held, waiting } = evidence;
  const upgraded = new Set(upgrade.installs.map(({ name }) => name));
  const distUpgraded = new Set(distUpgrade.installs.map(({ name }) => name));
  const phased = new Set([...upgrade.phased, ...distUpgrade.phased]);
  const fresh = new Set(distUpgrade.installs.filter(({ from }) => from === null).map(({ name }) => name));
  const gone = new Set(distUpgrade.removes.map(({ name }) => name));
  const relations = parseDepends(evidence.depends);

  return (name) => {
    if (upgraded.has(name)) return null;
    const own = waiting.get(name);
    if (held.has(name)) return reason('hold', `on hold; \`apt-mark unhold ${name}\` releases it`);
    if (own?.pinned === true) {
      return reason(
        'pin',
        `apt weighs ${own.target.version} with priority ${own.target.priority}; see \`apt-cache policy ${name}\``,
      );
    }
    if (distUpgraded.has(name)) {
      const reached = reach(name, relations, distUpgraded);
      const installs =
        relations.size === 0 ? [...fresh] : [...fresh].filter((each) => reached.needs.has(each));
      const removes =
        relations.size === 0 ? [...gone] : [...gone].filter((each) => reached.displaces.has(each));
      const parts = [
        ...(installs.length > 0 ? [`needs new packages: ${installs.join(', ')}`] : []),
        ...(removes.length > 0 ? [`removes: ${removes.join(', ')}`] : []),
      ];
      return {
        reason: 'needs changes',
        detail: parts.join('; ') || 'only `apt-get dist-upgrade` upgrades it',
        installs,
        removes,
      };
    }
    const percent = own?.target.phasedPercent ?? null;
    if (phased.has(name) || percent !== null) {
      return reason(
        'phasing',
        percent === null
          ? 'offered to hosts in phases, not to this one yet'
          : `offered to ${percent} % of hosts so far, not to this one yet`,
      );
    }
    if (refusal !== null) return reason('refused', refusal);
    const related = [...waiting.keys()].filter(
      (other) => other !== name && (held.has(other) || waiting.get(other)?.pinned === true),
    );
    if (related.length > 0)
      return reason('related', `apt cannot move it while these stay: ${related.join(', ')}`);
    return reason(
      'unexplained',
      `neither upgrade nor dist-upgrade moves it; ask \`apt-get -s install ${name}\``,
    );
  };
};

type Relations = Map<string, { needs: string[]; displaces: string[] }>;

/** Parses `apt-cache depends NAME…`: a name in the first column, then its relations, indented. */
export const parseDepends = (text: string): Relations => {
  const relations: Relations = new Map();
  let current: { needs: string[]; displaces: string[] } | null = null;
  for (const line of text.split('\n')) {
    if (/^\S+$/.test(line)) {
      current = { needs: [], displaces: [] };
      relations.set(line, current);
      continue;
    }
    const match = /^ [ |](PreDepends|Depends|Conflicts|Breaks): <?([^\s<>]+)>?$/.exec(line);
    if (match === null || current === null) continue;
    const [, kind, name = ''] = match;
    (kind === 'Depends' || kind === 'PreDepends' ? current.needs : current.displaces).push(name);
  }
  return relations;
};

/** Everything that a package needs or displaces, by way of packages that the same dist-upgrade would install. */
const reach = (
  start: string,
  relations: Relations,
  moving: ReadonlySet<string>,
): { needs: ReadonlySet<string>; displaces: ReadonlySet<string> } => {
  const needs = new Set<string>();
  const displaces = new Set<string>();
  const queue = [start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const own = relations.get(name);
    for (const displaced of own?.displaces ?? []) displaces.add(displaced);
    for (const needed of own?.needs ?? []) {
      if (needs.has(needed)) continue;
      needs.add(needed);
      if (moving.has(needed)) queue.push(needed);
    }
  }
  return { needs, displaces };
};
