import { setImmediate as turn } from 'node:timers/promises';
import type { Checkpoint } from '#vault/checkpoint';
import { historyPath, parseEntry, tilePath, tileWidth, type Entry } from '#vault/tree';
import { linesBeyond, rulesOf, type Rules } from './amendments.ts';
import { newCompletenessCheck } from './completeness.ts';
import { openHistory, type History } from './history.ts';
import { followKeys } from './key-chain.ts';
import { isUnwitnessed } from './log.ts';
import type { Looked, Looking } from './look.ts';
import { messageOf, type Findings } from './report.ts';
import { newRootedTiles, type RootedTiles } from './rooted.ts';
import type { Amended } from './scan.ts';
import { newSegmentChecks, type SegmentChecks } from './segments.ts';
import { keyEntriesOf, keysOf, startOf } from './signers.ts';

type Range = { first: number; end: number };

type Checking = {
  range: Range;
  target: Checkpoint;
  open: (note: Buffer) => Checkpoint;
  history: History;
  tiles: RootedTiles;
  rules: Rules;
  segments: SegmentChecks;
  findings: Findings;
  /** Checkpoints up to this size are by a key that is not known: that of the index of a key entry. */
  unknownTo: number;
  progress: (entries: number) => void;
};

/** The course of a verification of some entries alone. Nothing is said of the others. */
export const lookAtRange = async (looking: Looking): Promise<Looked> => {
  const { options, vkey, target, scan, amendments, open, findings, tally, hasMovedOn, progress } = looking;
  const { vault, threads } = options;
  const { size, root } = target;
  const asked = options.range !== undefined && 'first' in options.range ? options.range : scan.within;
  const range = { first: Math.min(asked?.first ?? 0, size), end: Math.min(asked?.end ?? 0, size) };
  const tiles = newRootedTiles({ vault, size, root, findings, hasMovedOn });
  const rules = rangeRules(amendments, range, tiles, findings);
  const completeness = newCompletenessCheck();
  const history = openHistory(vault, findings);
  const { mayBeThere } = looking;
  const segments = newSegmentChecks({ vault, rules, findings, completeness, tally, mayBeThere, threads });
  const keyEntries = keyEntriesOf(amendments);
  const unknownTo = startOf(vkey, keyEntries) ?? -1;
  const parts = { range, target, open, history, tiles, rules, segments, findings, unknownTo, progress };
  const entries = await checkRange(parts);
  await segments.end();
  const keys = followKeys({ given: vkey, keyEntries, target, history, tiles, findings });
  const notes = looking.judgeNotes({
    target,
    rootAt: tiles.rootAt,
    checkpointAt: (earlier) => history.at(earlier)?.note ?? target.note,
    keysAt: () => keysOf(vkey, keyEntries),
  });
  return {
    scope: range,
    completeness: completeness.end(false),
    keys: { ...keys, uncheckedTo: unknownTo < 0 ? null : unknownTo },
    entries,
    uncommitted: 0,
    notes,
    unwitnessedSince: (entry) => beganUnwitnessed(tiles, entry, size),
    amendments: null,
    sawStaging: false,
  };
};

/**
 * Checks some entries alone: that they are under the root, their segments, and the checkpoints that they pin. What
 * amends them is taken from where the bundles say it is, and must be under the root too.
 * @returns entries that are whole
 */
const checkRange = async (checking: Checking): Promise<number> => {
  const { range, tiles, rules, segments, findings, progress } = checking;
  const pin = newPinCheck(checking);
  let whole = 0;
  for (let index = Math.floor(range.first / tileWidth); index * tileWidth < range.end; index++) {
    const bundle = tiles.bundle(index);
    if (bundle === null) {
      const file = tilePath({ level: 'entries', index, width: tileWidth });
      const last = (index + 1) * tileWidth - 1;
      findings.add({ file, what: `entries ${index * tileWidth} to ${last} cannot be followed to the root` });
      continue;
    }
    for (const [i, bytes] of bundle.entries.entries()) {
      const at = bundle.first + i;
      if (at < range.first || at >= range.end || bytes === null) continue;
      const entry = parsed(bytes, at, bundle.file, findings);
      if (entry === null) continue;
      whole += 1;
      pin(at, entry, bundle.file);
      if (entry.kind === 'batch') {
        for (const line of linesBeyond(rules.of(at, entry.class), entry))
          findings.add({
            file: bundle.file,
            entry: at,
            what: `a redact entry names line ${line}, which it has not`,
          });
        await segments.check(at, entry);
      }
      progress(at + 1 - range.first);
      await turn();
    }
  }
  return whole;
};

/** Whether the keeper did so in entries from `from` on; `null` where one of them cannot be followed to the root. */
const beganUnwitnessed = (tiles: RootedTiles, from: number, size: number): boolean | null => {
  for (let index = Math.floor(from / tileWidth); index * tileWidth < size; index++) {
    const bundle = tiles.bundle(index);
    if (bundle === null) return null;
    for (const [i, bytes] of bundle.entries.entries()) {
      if (bundle.first + i < from) continue;
      if (bytes === null) return null;
      try {
        if (isUnwitnessed(parseEntry(bytes))) return true;
      } catch {
        return null;
      }
    }
  }
  return false;
};

const parsed = (bytes: Buffer, index: number, file: string, findings: Findings): Entry | null => {
  try {
    return parseEntry(bytes);
  } catch (error) {
    findings.add({ file, entry: index, what: messageOf(error) });
    return null;
  }
};

/** The checkpoint that an entry pins: kept as it was published, signed, and with the root that the entries give. */
const newPinCheck = ({ history, tiles, open, unknownTo, findings }: Checking) => {
  let prev: Entry['prev'] | null = null;
  return (index: number, entry: Entry, file: string): void => {
    const isSame = prev !== null && prev.size === entry.prev.size && prev.sha256.equals(entry.prev.sha256);
    if (isSame) return;
    const isFirst = prev === null;
    prev = entry.prev;
    const { size, sha256 } = entry.prev;
    if (size > index || (size < index && !isFirst)) {
      const what = `entry ${index} follows a checkpoint of size ${size}, which is not where it stands`;
      findings.add({ file, entry: index, what });
      return;
    }
    const kept = history.pinned(size);
    if (kept === null || kept.sha256 !== sha256.toString('hex')) {
      findings.add({
        file: historyPath(size),
        what: `the checkpoint of size ${size} is not in it as it was published`,
      });
      return;
    }
    try {
      if (size > unknownTo) open(kept.note);
    } catch (error) {
      findings.add({ file: historyPath(size), what: `the checkpoint of size ${size}: ${messageOf(error)}` });
    }
    const root = tiles.rootAt(size);
    if (root !== null && !root.equals(kept.root))
      findings.add({
        file: historyPath(size),
        what: `the checkpoint of size ${size} has another root than the entries give`,
      });
  };
};

/** What amends the entries of a range, each shown to be under the root. */
const rangeRules = (
  amendments: readonly Amended[],
  range: Range,
  tiles: RootedTiles,
  findings: Findings,
): Rules => {
  const isAbout = ({ entry }: Amended): boolean =>
    (entry.kind === 'redact' && entry.target.entry >= range.first && entry.target.entry < range.end) ||
    (entry.kind === 'expire' && entry.entries.first < range.end && entry.entries.end > range.first);
  return rulesOf(
    amendments.filter(isAbout).filter(({ index, entry }) => {
      const bundle = tiles.bundle(Math.floor(index / tileWidth));
      const bytes = bundle?.entries[index % tileWidth] ?? null;
      const isTrue =
        bytes !== null && parsed(bytes, index, bundle?.file ?? '', findings)?.kind === entry.kind;
      if (!isTrue)
        findings.add({
          file: bundle?.file ?? 'checkpoint',
          entry: index,
          what: `entry ${index}, ${entry.kind}, cannot be followed to the root`,
        });
      return isTrue;
    }),
  );
};
