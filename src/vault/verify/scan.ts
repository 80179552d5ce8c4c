import { join } from 'node:path';
import { isAmendment, maxBundle, parseBundle, parseEntry, tileWidth, type Amendment } from '#vault/tree';
import { readBounded, walkVault } from './files.ts';

/** An entry that changes how others are to be read, and its index. */
export type Amended<E extends Amendment = Amendment> = { index: number; entry: E };

/**
 * What the bundles say before anything of them is checked: which amendments to expect, and how much there is to do.
 * Whoever uses it holds it against what is checked later.
 */
export type Scan = {
  amendments: Amended[];
  /** There are more amendments than a verifier keeps in mind. */
  isTruncated: boolean;
  /** Of batches in the scope; lines without manifests. */
  claimed: { entries: number; lines: number; bytes: number };
  /** From the first batch to the last one that has lines of the time asked for; `null` where there is none. */
  within: { first: number; end: number } | null;
  /** Where the commit of the last entry began. */
  lastCommit: number;
};

/** More than any keeper's; some hundred megabytes of memory. */
const mostAmendments = 1_000_000;

/** @param size entries of the log, as far as is known: of what lies beyond only amendments are looked at */
export const scanBundles = (
  vault: string,
  size: number,
  scope: { first: number; end: number } | { since: number | null; until: number | null } | undefined,
): Scan => {
  const scan: Scan = {
    amendments: [],
    isTruncated: false,
    claimed: { entries: 0, lines: 0, bytes: 0 },
    within: null,
    lastCommit: 0,
  };
  const times = scope !== undefined && 'since' in scope ? scope : null;
  const entries = scope !== undefined && 'first' in scope ? scope : { first: 0, end: size };

  const take = (index: number, bytes: Buffer): void => {
    // Batches are nearly all of it, and are told by one letter: holdfast.batch/v1.
    if (bytes[9] === batchLetter) {
      if (index >= size) return;
      if (times === null && (index < entries.first || index >= entries.end)) return;
      const claim = claimOf(bytes, times !== null);
      if (
        times !== null &&
        (claim.latest < (times.since ?? 0) || claim.earliest >= (times.until ?? Infinity))
      )
        return;
      scan.within = { first: scan.within?.first ?? index, end: index + 1 };
      scan.claimed.lines += Math.max(0, claim.lines - 1);
      scan.claimed.bytes += claim.bytes;
      return;
    }
    try {
      const entry = parseEntry(bytes);
      if (!isAmendment(entry)) return;
      if (scan.amendments.length < mostAmendments) scan.amendments.push({ index, entry });
      else scan.isTruncated = true;
    } catch {
      // Said when the entry is checked.
    }
  };

  let last: Buffer | null = null;
  for (const { index, bytes } of widestBundles(vault)) {
    for (const [i, entry] of bytes.entries()) {
      take(index * tileWidth + i, entry);
      if (index * tileWidth + i < size) last = entry;
    }
  }
  scan.lastCommit = Number(/^prev ([0-9]{1,15}) /m.exec(last?.toString('latin1') ?? '')?.[1] ?? 0);
  const { first, end } = times === null ? entries : (scan.within ?? { first: 0, end: 0 });
  scan.claimed.entries = Math.max(0, Math.min(end, size) - first);
  return scan;
};

const batchLetter = 'b'.charCodeAt(0);

/** Of each place the widest bundle that can be read: what is narrower holds the same entries. */
function* widestBundles(vault: string): Generator<{ index: number; bytes: Buffer[] }> {
  let best: { index: number; width: number; path: string } | null = null;
  const read = ({ index, width, path }: NonNullable<typeof best>): { index: number; bytes: Buffer[] } => {
    try {
      return {
        index,
        bytes: parseBundle(readBounded(join(vault, path), maxBundle) ?? Buffer.alloc(0), width),
      };
    } catch {
      return { index, bytes: [] };
    }
  };
  for (const found of walkVault(vault, 'tile/entries')) {
    if (!('file' in found) || found.file.kind !== 'tile') continue;
    const { index, width } = found.file.tile;
    if (best !== null && best.index === index) {
      if (width > best.width) best = { index, width, path: found.path };
      continue;
    }
    if (best !== null) yield read(best);
    best = { index, width, path: found.path };
  }
  if (best !== null) yield read(best);
}

type Claim = { lines: number; bytes: number; earliest: number; latest: number };

const claimOf = (entry: Buffer, withTimes: boolean): Claim => {
  const text = entry.toString('latin1');
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const time = (pattern: RegExp): number => parseTime(pattern.exec(text)?.[1] ?? '');
  return {
    lines: number(/^lines ([0-9]{1,9})$/m),
    bytes: number(/^segment [0-9a-f]{64} ([0-9]{1,9})$/m),
    earliest: withTimes ? time(/^earliest (\S+)$/m) : 0,
    latest: withTimes ? time(/^latest (\S+)$/m) : 0,
  };
};

/** µs; an entry that names no time is taken for one that might be meant. */
const parseTime = (text: string): number => {
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? Number.NaN : millis * 1000 + Number(/\.\d{3}(\d{3})Z$/.exec(text)?.[1] ?? 0);
};
