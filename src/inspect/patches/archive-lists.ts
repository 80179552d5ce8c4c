import { join } from 'node:path';
import { fromMilliseconds, fromRfc2822 } from './times.ts';
import { listIfThere, readIfThere, statIfThere } from './host-files.ts';
import type { PolicyArchive } from './policy.ts';
import type { SourceEntry } from './sources.ts';

/** The head of an archive's `Release` or `InRelease` file in `/var/lib/apt/lists` (Debian wiki, DebianRepository/Format). */
export type ArchiveRelease = {
  /** List file name without `_InRelease`; what `listPrefix` makes of a source entry. */
  prefix: string;
  origin: string | null;
  label: string | null;
  suite: string | null;
  codename: string | null;
  /** When the archive was made; RFC 3339. What it carries was public at this time at the latest. */
  date: string | null;
  /** Its versions are taken only on request (backports, experimental). */
  notAutomatic: boolean;
};

/** What the host knows about the archives, and since when. Times are RFC 3339. */
export type ListsAge = {
  /** Newest proof that `apt-get update` brought something: list files' own times, apt's success stamp. `null` = never. */
  refreshed: string | null;
  /** Which of them it was. */
  refreshedBy: string | null;
  /** `lists/partial` last changed: an update was tried, with or without success. */
  attempted: string | null;
  releases: ArchiveRelease[];
  /** Enabled source entries for which no list is there: their updates are not known. */
  missing: string[];
};

export const readListsAge = (root: string, sources: readonly SourceEntry[]): ListsAge => {
  const directory = `${root}/var/lib/apt/lists`;
  const releases: ArchiveRelease[] = [];
  let newest: { time: number; by: string } | null = null;
  const mark = (path: string): void => {
    const stat = statIfThere(path);
    if (stat !== null && (newest === null || stat.mtimeMs > newest.time))
      newest = { time: stat.mtimeMs, by: path };
  };
  for (const name of listIfThere(directory)) {
    const match = /^(.*)_(?:In)?Release$/.exec(name);
    if (match === null) continue;
    mark(join(directory, name));
    const text = readIfThere(join(directory, name));
    if (text !== null) releases.push(parseReleaseHead(match[1] ?? '', text.slice(0, 8192)));
  }
  mark(`${root}/var/lib/apt/periodic/update-success-stamp`);
  const attempted = statIfThere(join(directory, 'partial'));
  const known = new Set(releases.map((release) => release.prefix));
  const missing = sources
    .filter((entry) => entry.kind === 'deb' && entry.enabled && !entry.uri.startsWith('cdrom:'))
    .filter((entry) => !known.has(listPrefix(entry)))
    .map((entry) => `${entry.uri} ${entry.suite}`);
  return {
    ...newestOf(newest),
    attempted: attempted === null ? null : fromMilliseconds(attempted.mtimeMs),
    releases,
    missing: [...new Set(missing)],
  };
};

const newestOf = (
  newest: { time: number; by: string } | null,
): { refreshed: string | null; refreshedBy: string | null } =>
  newest === null
    ? { refreshed: null, refreshedBy: null }
    : { refreshed: fromMilliseconds(newest.time), refreshedBy: newest.by };

const parseReleaseHead = (prefix: string, text: string): ArchiveRelease => {
  const field = (name: string): string | null =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? null;
  return {
    prefix,
    origin: field('Origin'),
    label: field('Label'),
    suite: field('Suite'),
    codename: field('Codename'),
    date: fromRfc2822(field('Date')),
    notAutomatic: field('NotAutomatic') === 'yes',
  };
};

/**
 * The name under which apt keeps an archive's lists: the URI without scheme and credentials, special characters as
 * %xx, `/` as `_` (apt's URItoFileName), then `_dists_SUITE`, or the path itself for a flat archive.
 */
export const listPrefix = (archive: { uri: string; suite: string }): string => {
  const bare = archive.uri
    .replace(/^[a-z0-9+.-]+:(?:\/\/)?/i, '')
    .replace(/^[^/@]*@/, '')
    .replace(/\/+$/, '');
  const quoted = quote(bare).replaceAll('/', '_');
  if (!archive.suite.endsWith('/')) return `${quoted}_dists_${quote(archive.suite).replaceAll('/', '_')}`;
  const path = archive.suite.replace(/\/+$/, '');
  return path === '' ? quoted : `${quoted}_${quote(path).replaceAll('/', '_')}`;
};

const quote = (text: string): string =>
  text.replace(
    /[\\|{}[\]<>"^~_=!@#$%&*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

/** Finds the Release of the archive that a policy row names. */
export const releaseOf = (
  archive: PolicyArchive,
  releases: readonly ArchiveRelease[],
): ArchiveRelease | null => {
  const prefix = listPrefix(archive);
  return releases.find((release) => release.prefix === prefix) ?? null;
};

/**
 * Whether an archive exists for security updates: Debian's label or suite, Ubuntu's and ESM's `-security` pockets,
 * Freexian's extended LTS. The source entry's own suite name counts too, for mirrors that drop the label.
 */
export const isSecurityArchive = (
  archive: { uri: string; suite: string },
  release: ArchiveRelease | null,
): boolean =>
  release?.label === 'Debian-Security' ||
  [archive.suite, release?.suite, release?.codename].some((suite) => suite?.endsWith('-security') === true) ||
  (archive.suite.endsWith('/updates') && archive.uri.includes('security')) ||
  archive.uri.includes('freexian.com/extended-lts');
