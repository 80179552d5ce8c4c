import { join } from 'node:path';
import type { Checkpoint } from '#vault/checkpoint';
import {
  compactRange,
  hashAt,
  historyPath,
  maxBundle,
  maxSegment,
  parseEntry,
  segmentPath,
  sha256,
  tilePath,
  tileWidth,
  type BatchEntry,
  type Entry,
} from '#vault/tree';
import { readBounded, type Listing } from './files.ts';
import type { History } from './history.ts';
import { messageOf, type Findings } from './report.ts';
import { checkAlone, checkSegment } from './segment.ts';
import type { CheckedBundle } from './stored.ts';

type Checking = {
  vault: string;
  listing: Listing;
  history: History;
  target: Checkpoint;
  findings: Findings;
  tally: { lines: number; entries: number };
};

/** Goes over the entries in order: each entry, its segment, and the checkpoints that the entries pin. */
export const newLogCheck = ({ vault, listing, history, target, findings, tally }: Checking) => {
  const range = compactRange();
  /** The checkpoint that the entry before followed. */
  let prev: Entry['prev'] | null = null;
  /** An entry since then is lost, and with it perhaps the first one after another checkpoint. */
  let hasLost = false;
  const pinned = new Set<number>([target.size]);
  const lostHistory = new Map<string, { first: number; count: number }>();
  const strays = new Map<string, number>();
  let contradiction: number | null = null;

  const loseHistory = (size: number): void => {
    const lost = lostHistory.get(historyPath(size)) ?? { first: size, count: 0 };
    lostHistory.set(historyPath(size), { ...lost, count: lost.count + 1 });
  };

  const pin = (index: number, entry: Entry, file: string): void => {
    const isSame = prev !== null && prev.size === entry.prev.size && prev.sha256.equals(entry.prev.sha256);
    if (isSame) return;
    const isAfterLost = hasLost && entry.prev.size < index;
    hasLost = false;
    if (entry.prev.size !== index && !isAfterLost)
      findings.add({
        file,
        entry: index,
        what: `entry ${index} follows a checkpoint of size ${entry.prev.size}, which is not where it stands`,
      });
    prev = entry.prev;
    pinned.add(entry.prev.size);
    const kept = history.bySize.get(entry.prev.size);
    if (kept === undefined || kept.sha256 !== entry.prev.sha256.toString('hex')) {
      loseHistory(entry.prev.size);
    } else if (contradiction === null && range.size() === kept.size && !range.root().equals(kept.root)) {
      contradiction = kept.size;
    }
  };

  const segment = (index: number, entry: BatchEntry): void => {
    const file = segmentPath(index);
    const lines = `${index}:0..${entry.lines - 1}`;
    try {
      const stored = readBounded(join(vault, file), maxSegment);
      if (stored === null) {
        findings.add({ file, entry: index, lines, what: 'missing' });
        return;
      }
      const what = checkSegment(index, entry, stored);
      if (what === null) {
        tally.lines += entry.lines;
        return;
      }
      findings.add({ file, entry: index, lines, what });
      strays.set(sha256(stored).toString('hex'), index);
    } catch (error) {
      findings.add({ file, entry: index, lines, what: `cannot be read: ${messageOf(error)}` });
    }
  };

  /** The files agree with each other but not with what was signed: the first checkpoint that disagrees says where. */
  const blameEntries = (size: number): void => {
    const from = history.sizes.findLast((other) => other < size) ?? 0;
    for (let index = Math.floor(from / tileWidth); index * tileWidth < size; index++) {
      const width = Math.min(tileWidth, target.size - index * tileWidth);
      const file = tilePath({ level: 'entries', index, width });
      if (!findings.has(file))
        findings.add({
          file,
          what: `changed: entries ${from} to ${size - 1} are not those that the checkpoint of size ${size} signed`,
        });
    }
  };

  /** A segment in the wrong place is told from one that was changed by finding the entry that names it. */
  const nameSwapped = (): void => {
    if (strays.size === 0) return;
    for (let index = 0; index * tileWidth < target.size; index++) {
      const width = Math.min(tileWidth, target.size - index * tileWidth);
      for (const [i, sha] of segmentHashes(vault, index, width).entries()) {
        const at = strays.get(sha);
        const problem =
          at === undefined ? undefined : findings.problems.find((other) => other.file === segmentPath(at));
        if (problem !== undefined)
          problem.what = `swapped: it is the segment of entry ${index * tileWidth + i} (${problem.what})`;
      }
    }
  };

  /** An entry that no file has any more: its segment can only be held against itself. */
  const unpinned = (index: number): void => {
    hasLost = true;
    const file = segmentPath(index);
    if (!listing.files.has(file)) return;
    try {
      const stored = readBounded(join(vault, file), maxSegment);
      const alone = stored === null ? { lines: null, what: 'missing' } : checkAlone(index, stored);
      const lines = alone.lines === null ? {} : { lines: `${index}:0..${alone.lines - 1}` };
      findings.add({
        file,
        entry: index,
        ...lines,
        what: alone.what ?? 'cannot be checked: its entry is lost',
      });
    } catch (error) {
      findings.add({ file, entry: index, what: `cannot be read: ${messageOf(error)}` });
    }
  };

  return {
    /** The entry at `first + i`, its segment, and the checkpoint that it pins. */
    check({ first, file, entries, leaves }: CheckedBundle, i: number): void {
      const index = first + i;
      const bytes = entries[i] ?? null;
      if (bytes === null) unpinned(index);
      else {
        try {
          const entry = parseEntry(bytes);
          pin(index, entry, file);
          tally.entries += 1;
          if (entry.kind === 'batch') segment(index, entry);
          else if (listing.files.has(segmentPath(index))) {
            findings.add({
              file: segmentPath(index),
              entry: index,
              what: 'unexpected: its entry is no batch',
            });
          }
        } catch (error) {
          findings.add({ file, entry: index, what: messageOf(error) });
        }
      }
      if (leaves !== null && range.size() === index) range.push(hashAt(leaves, i));
    },
    /** Sizes of every checkpoint that was published, as entries and history name them; ascending. */
    published: () =>
      [...new Set([...pinned, ...history.sizes])].filter((size) => size <= target.size).sort((a, b) => a - b),
    end(): void {
      if (range.size() === target.size && !range.root().equals(target.root)) contradiction ??= target.size;
      if (contradiction !== null) blameEntries(contradiction);
      const last = history.bySize.get(target.size);
      if (last === undefined || !last.note.equals(target.note)) {
        loseHistory(target.size);
      }
      for (const [file, { first, count }] of lostHistory) {
        const what = `checkpoint of size ${first}${count > 1 ? ` and ${count - 1} more` : ''}`;
        findings.add({
          file,
          what: listing.files.has(file)
            ? `the ${what} is not in it as it was published`
            : `missing: it kept the ${what}`,
        });
      }
      for (const size of history.sizes) {
        if (size < target.size && !pinned.has(size) && tally.entries === target.size) {
          findings.add({
            file: historyPath(size),
            what: `holds a checkpoint of size ${size} that no entry follows`,
          });
        }
      }
      nameSwapped();
    },
  };
};

/** Hashes that the entries of a bundle give for their segments; empty strings for other entries. */
const segmentHashes = (vault: string, index: number, width: number): string[] => {
  const bytes = readBounded(join(vault, tilePath({ level: 'entries', index, width })), maxBundle);
  const text = bytes?.toString('latin1') ?? '';
  return text
    .split(/holdfast\.(?:batch|restart|heartbeat)\/v1\n/)
    .slice(1)
    .map((entry) => /^segment ([0-9a-f]{64}) /m.exec(entry)?.[1] ?? '');
};
