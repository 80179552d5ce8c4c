import { join } from 'node:path';
import { readIfThere } from './host-files.ts';
import type { SourceEntry } from './sources.ts';

/** A stretch of security support. `needs`: what the host must subscribe to for it; `null` = nothing. */
export type SupportPhase = { name: string; until: string; needs: string | null; covered: boolean };

/** What is known about the life of the distribution release. Dates are `YYYY-MM-DD`, the day included. */
export type DistributionSupport = {
  id: string;
  version: string | null;
  codename: string | null;
  /** In the order in which they follow each other; `[]` where the end is not set yet (testing, unstable). */
  phases: SupportPhase[];
  /** The first phase that has not ended and that this host gets; `null` = the release gets nothing any more. */
  current: string | null;
  /** Where the dates come from, with their own date. */
  source: string;
};

export type OsRelease = {
  id: string;
  like: string[];
  pretty: string | null;
  version: string | null;
  codename: string | null;
};

/** Parses os-release(5). */
export const parseOsRelease = (text: string): OsRelease => {
  const fields = new Map<string, string>();
  for (const [, key = '', value = ''] of text.matchAll(/^([A-Z_0-9]+)=(.*)$/gm)) {
    fields.set(key, value.trim().replace(/^(["'])(.*)\1$/, '$2'));
  }
  return {
    id: fields.get('ID') ?? 'linux',
    like: (fields.get('ID_LIKE') ?? '').split(/\s+/).filter((word) => word !== ''),
    pretty: fields.get('PRETTY_NAME') ?? null,
    version: fields.get('VERSION_ID') ?? null,
    codename: fields.get('VERSION_CODENAME') ?? null,
  };
};

export const readOsRelease = (root: string): OsRelease | null => {
  const text = readIfThere(join(root, '/etc/os-release')) ?? readIfThere(join(root, '/usr/lib/os-release'));
  return text === null ? null : parseOsRelease(text);
};

/** Columns of distro-info-data's CSV files that end a phase, by distribution. */
const phaseColumns: Record<
  string,
  { column: string; name: string; needs: string | null; subscribed: RegExp | null }[]
> = {
  debian: [
    { column: 'eol', name: 'standard', needs: null, subscribed: null },
    { column: 'eol-lts', name: 'LTS', needs: null, subscribed: null },
    {
      column: 'eol-elts',
      name: 'ELTS',
      needs: 'the extended LTS archive of Freexian',
      subscribed: /freexian\.com\/extended-lts/,
    },
  ],
  ubuntu: [
    { column: 'eol-server', name: 'standard', needs: null, subscribed: null },
    { column: 'eol-esm', name: 'ESM', needs: 'Ubuntu Pro', subscribed: /esm\.ubuntu\.com/ },
    { column: 'eol-legacy', name: 'Legacy', needs: 'Ubuntu Pro with Legacy support', subscribed: null },
  ],
};

/**
 * Support of this release according to `/usr/share/distro-info/*.csv` (package distro-info-data), else to the table
 * below. `null` where the distribution is neither Debian nor Ubuntu, or the release is in neither.
 *
 * @param today `YYYY-MM-DD`
 */
export const distributionSupport = (
  root: string,
  os: OsRelease,
  sources: readonly SourceEntry[],
  today: string,
): DistributionSupport | null => {
  const columns = phaseColumns[os.id];
  if (columns === undefined) return null;
  const path = `/usr/share/distro-info/${os.id}.csv`;
  const installed = readIfThere(join(root, path));
  const own = builtIn[os.id] ?? '';
  const row = (installed === null ? null : findRelease(installed, os)) ?? findRelease(own, os);
  if (row === null) return null;
  const fromFile = installed !== null && findRelease(installed, os) !== null;
  const uris = sources.filter((entry) => entry.enabled).map((entry) => entry.uri);
  const phases = columns.flatMap(({ column, name, needs, subscribed }): SupportPhase[] => {
    const until = row.get(column) || (column === 'eol-server' ? row.get('eol') : undefined);
    if (until === undefined || until === '') return [];
    const covered = needs === null || (subscribed !== null && uris.some((uri) => subscribed.test(uri)));
    return [{ name, until, needs, covered }];
  });
  return {
    id: os.id,
    version: os.version,
    codename: os.codename,
    phases,
    current:
      phases.length === 0
        ? 'not ended'
        : (phases.find((phase) => phase.covered && phase.until >= today)?.name ?? null),
    source: fromFile ? path : `Holdfast's own table, as of ${builtInAsOf}`,
  };
};

/** One row of a CSV file with a header line, found by codename, else by version; `null` if it is not there. */
const findRelease = (csv: string, os: OsRelease): Map<string, string> | null => {
  const [head = '', ...lines] = csv.trim().split('\n');
  const names = head.split(',');
  for (const line of lines) {
    const row = new Map(line.split(',').map((value, i) => [names[i] ?? '', value.trim()]));
    const version = (row.get('version') ?? '').replace(/ LTS$/, '');
    if (os.codename === null ? version === os.version : row.get('series') === os.codename) return row;
  }
  return null;
};

/** Date of the data below: distro-info-data 0.58+deb12u6. */
const builtInAsOf = '2025-10-18';

const builtIn: Record<string, string> = {
  debian: `version,series,eol,eol-lts,eol-elts
8,jessie,2018-06-17,2020-06-30,2025-06-30
9,stretch,2020-07-18,2022-06-30,2027-06-30
10,buster,2022-09-10,2024-06-30,2029-06-30
11,bullseye,2024-08-14,2026-08-31,2031-06-30
12,bookworm,2026-07-11,2028-06-30,2033-06-30
13,trixie,2028-08-09,2030-06-30,2035-06-30`,
  ubuntu: `version,series,eol,eol-server,eol-esm,eol-legacy
14.04 LTS,trusty,2019-04-25,2019-04-25,2024-04-25,2026-04-28
16.04 LTS,xenial,2021-04-30,2021-04-30,2026-04-23,2028-04-25
18.04 LTS,bionic,2023-05-31,2023-05-31,2028-04-26,2030-04-30
20.04 LTS,focal,2025-05-29,2025-05-29,2030-04-23,2032-04-27
22.04 LTS,jammy,2027-06-01,2027-06-01,2032-04-21,2034-04-25
24.04 LTS,noble,2029-05-31,2029-05-31,2034-04-25,2036-04-29
24.10,oracular,2025-07-10,,,
25.04,plucky,2026-01-15,,,
25.10,questing,2026-07-09,,,
26.04 LTS,resolute,2031-05-29,2031-05-29,2036-04-23,2038-04-27`,
};
