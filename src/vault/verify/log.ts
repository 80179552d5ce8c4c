import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '#vault/checkpoint';
import {
  compactRange,
  hashAt,
  historyPath,
  historySpan,
  isAmendment,
  maxBundle,
  parseEntry,
  segmentPath,
  tilePath,
  tileWidth,
  type Entry,
} from '#vault/tree';
import { linesBeyond, newAmendmentCheck, type Kinds, type Rules } from './amendments.ts';
import { readBounded } from './files.ts';
import type { History } from './history.ts';
import type { PublishedEdges } from './published-edges.ts';
import { messageOf, plural, type Findings } from './report.ts';
import type { Amended } from './scan.ts';
import type { SegmentChecks } from './segments.ts';
import type { Signers } from './signers.ts';
import type { CheckedBundle } from './stored.ts';

type Checking = {
  vault: string;
  history: History;
  target: Checkpoint;
  signers: Signers;
  rules: Rules;
  kinds: Kinds;
  segments: SegmentChecks;
  edges: PublishedEdges;
  findings: Findings;
  /** Sizes at which the root is asked for. */
  watched: ReadonlySet<number>;
};

export type LogEnd = {
  /** Entries that are whole. */
  entries: number;
  /** Every amendment that is under the root. */
  amendments: readonly Amended[];
  /** Where the last commit began. */
  lastCommit: number;
  /** Root at each watched size, as far as the entries give it. */
  roots: ReadonlyMap<number, Buffer>;
  /** The last entry in which the keeper began unwitnessed; −1 where there is none. */
  lastUnwitnessed: number;
};

/** Goes over the entries in order: each entry, what it amends, its segment, and the checkpoints that the entries pin. */
export const newLogCheck = (checking: Checking) => {
  const { vault, history, target, signers, rules, kinds, segments, edges, findings, watched } = checking;
  const range = compactRange();
  const amendmentCheck = newAmendmentCheck(kinds, rules);
  const amendments: Amended[] = [];
  const roots = new Map<number, Buffer>();
  const lostHistory = new Map<string, { first: number; count: number }>();
  const unsigned = new Map<string, { what: string; count: number }>();
  /** The checkpoint that the entry before followed. */
  let prev: Entry['prev'] | null = null;
  /** An entry since then is lost, and with it perhaps the first one after another checkpoint. */
  let hasLost = false;
  let entries = 0;
  let lastUnwitnessed = -1;
  /** The last checkpoint whose root is what the entries give, and the first whose root is not. */
  let agreed = 0;
  let contradiction: number | null = null;

  const loseHistory = (size: number): void => {
    const lost = lostHistory.get(historyPath(size)) ?? { first: size, count: 0 };
    lostHistory.set(historyPath(size), { ...lost, count: lost.count + 1 });
  };

  const blameSigner = (file: string, size: number, fault: string): void => {
    const known = unsigned.get(file);
    unsigned.set(file, {
      what: known?.what ?? `the checkpoint of size ${size}: ${fault}`,
      count: (known?.count ?? 0) + 1,
    });
  };

  const pin = (index: number, entry: Entry, file: string): void => {
    const isSame = prev !== null && prev.size === entry.prev.size && prev.sha256.equals(entry.prev.sha256);
    if (isSame) return;
    const isAfterLost = hasLost && entry.prev.size < index && entry.prev.size > (prev?.size ?? -1);
    hasLost = false;
    const isHere = entry.prev.size === index;
    if (!isHere && !isAfterLost)
      findings.add({
        file,
        entry: index,
        what: `entry ${index} follows a checkpoint of size ${entry.prev.size}, which is not where it stands`,
      });
    prev = entry.prev;
    if (isHere || isAfterLost) followed(entry.prev);
  };

  /** A published checkpoint, in order. */
  const followed = ({ size, sha256 }: Entry['prev']): void => {
    edges.add(size);
    const kept = history.pinned(size);
    if (kept === null || kept.sha256 !== sha256.toString('hex')) {
      loseHistory(size);
      signers.pass(size, false);
      return;
    }
    const fault = signers.fault(kept.note, size);
    if (fault !== null) blameSigner(historyPath(size), size, fault);
    signers.pass(size, fault === null);
    if (contradiction !== null || range.size() !== size) return;
    if (range.root().equals(kept.root)) agreed = size;
    else contradiction = size;
  };

  const amend = (index: number, entry: Entry, file: string): void => {
    if (!isAmendment(entry)) return;
    amendments.push({ index, entry });
    const what = entry.kind === 'key' ? signers.replace(index, entry) : amendmentCheck.take(index, entry);
    if (what !== null) findings.add({ file, entry: index, what: `entry ${index}, ${entry.kind}: ${what}` });
  };

  const take = async (index: number, entry: Entry, file: string): Promise<void> => {
    pin(index, entry, file);
    entries += 1;
    kinds.note(index, entry);
    amend(index, entry, file);
    if (isUnwitnessed(entry)) lastUnwitnessed = index;
    if (entry.kind !== 'batch') return;
    for (const line of linesBeyond(rules.of(index, entry.class), entry))
      findings.add({
        file,
        entry: index,
        what: `a redact entry names line ${line} of entry ${index}, which has lines 0 to ${entry.lines - 1}`,
      });
    await segments.check(index, entry);
  };

  /** The files agree with each other but not with what was signed: the first checkpoint that disagrees says where. */
  const blameEntries = (size: number): void => {
    for (let index = Math.floor(agreed / tileWidth); index * tileWidth < size; index++) {
      const width = Math.min(tileWidth, target.size - index * tileWidth);
      const file = tilePath({ level: 'entries', index, width });
      if (!findings.has(file))
        findings.add({
          file,
          what: `changed: entries ${agreed} to ${size - 1} are not those that the checkpoint of size ${size} signed`,
        });
    }
  };

  /** A segment in the wrong place is told from one that was changed by finding the entry that names it. */
  const nameSwapped = (strays: ReadonlyMap<string, number>): void => {
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

  const checkNewest = (): void => {
    const kept = history.pinned(target.size);
    const isKept = kept?.note.equals(target.note) === true;
    const fault = signers.fault(target.note, target.size);
    if (fault !== null) {
      findings.add({ file: 'checkpoint', what: `changed: ${fault}` });
      if (kept === null || (isKept && target.size > 0))
        blameSigner(historyPath(target.size), target.size, fault);
    } else if (!isKept) loseHistory(target.size);
    signers.pass(target.size, fault === null);
    if (fault === null && !signers.isFollowed())
      findings.add({
        file: 'checkpoint',
        what: 'changed: signed by another key than the one that was given, and nothing that is whole leads from that to it',
      });
    edges.add(target.size);
  };

  const reportHistory = (): void => {
    for (const [file, { first, count }] of lostHistory) {
      const what = `checkpoint of size ${first}${count > 1 ? ` and ${count - 1} more` : ''}`;
      const isThere = lstatSync(join(vault, file), { throwIfNoEntry: false }) !== undefined;
      findings.add({
        file,
        what: isThere ? `the ${what} is not in it as it was published` : `missing: it kept the ${what}`,
      });
    }
    for (const [file, { what, count }] of unsigned)
      findings.add({
        file,
        what: count > 1 ? `${what}; and so with ${plural(count - 1, 'more', 'more')}` : what,
      });
    if (entries < target.size) return;
    for (const { file, size } of history.strays(target.size - 1))
      findings.add({ file, what: `holds a checkpoint of size ${size} that no entry follows` });
  };

  const watch = (): void => {
    if (watched.has(range.size())) roots.set(range.size(), range.root());
  };
  watch();

  return {
    /** The entry at `first + i`, its segment, and the checkpoint that it pins. */
    async check({ first, file, entries: stored, leaves }: CheckedBundle, i: number): Promise<void> {
      const index = first + i;
      const bytes = stored[i] ?? null;
      if (bytes === null) {
        hasLost = true;
        kinds.note(index, null);
        segments.alone(index);
      } else {
        let entry: Entry | null = null;
        try {
          entry = parseEntry(bytes);
        } catch (error) {
          findings.add({ file, entry: index, what: messageOf(error) });
          kinds.note(index, null);
        }
        if (entry !== null) await take(index, entry, file);
      }
      if (leaves === null || range.size() !== index) return;
      range.push(hashAt(leaves, i));
      watch();
    },
    async end(): Promise<LogEnd> {
      if (range.size() === target.size && !range.root().equals(target.root)) contradiction ??= target.size;
      if (contradiction !== null) blameEntries(contradiction);
      checkNewest();
      // What lost entries would have pinned, the history still names.
      if (entries < target.size)
        for (let index = 0; index * historySpan <= target.size; index++)
          for (const size of history.file(index).bySize.keys()) if (size < target.size) edges.also(size);
      reportHistory();
      nameSwapped(await segments.end());
      return { entries, amendments, lastCommit: prev?.size ?? 0, roots, lastUnwitnessed };
    },
  };
};

/** Whether the keeper began in it, and no witness had said in time what it remembers. */
export const isUnwitnessed = (entry: Entry): boolean =>
  entry.kind === 'restart' && entry.reason === 'unwitnessed';

/** Hashes that the entries of a bundle give for their segments; empty strings for other entries. */
const segmentHashes = (vault: string, index: number, width: number): string[] => {
  try {
    const bytes = readBounded(join(vault, tilePath({ level: 'entries', index, width })), maxBundle);
    const text = bytes?.toString('latin1') ?? '';
    return text
      .split(/holdfast\.(?:batch|restart|heartbeat|expire|hold|release|redact|key)\/v1\n/)
      .slice(1)
      .map((entry) => /^segment ([0-9a-f]{64}) /m.exec(entry)?.[1] ?? '');
  } catch {
    return [];
  }
};
