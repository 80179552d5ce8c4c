import {
  edgeWidth,
  foldPeaks,
  hashAt,
  levelCount,
  maxLevel,
  peaks,
  tilePath,
  tileWidth,
  treeRoot,
} from '#vault/tree';
import { walkVault } from './files.ts';
import type { Findings } from './report.ts';
import {
  storedBundles,
  storedTiles,
  type Candidate,
  type CheckedBundle,
  type TilesChecking,
} from './stored.ts';

/**
 * Walks the log's files from the entries up to the root. Where two files contradict each other, the one above them
 * decides which was changed; at the right edge the checkpoint's root does.
 * @param visit is given every bundle, in order, once it is known which of its entries are true
 * @returns the true rows at the right edge by level; `null` for a level where nothing gives the root
 */
export const checkTiles = async (
  checking: TilesChecking,
  visit: (bundle: CheckedBundle) => Promise<void>,
): Promise<(Buffer | null)[]> => {
  const { vault, size, root, findings } = checking;
  const stored = storedTiles(checking);
  const bundles = storedBundles(checking);
  const present = presentIndices(vault);
  const full = levelCount(size, 1);
  /** By level, the roots of the full tiles below: what the next level must hold. */
  let below: (Buffer | null)[] = [];

  for (let index = 0; index < full; index++) {
    const next = skipMissing(present, index, full);
    if (next > index) {
      reportGap(index, next, findings);
      // Nobody can have that much missing from a log that he wants checked; and it would take for ever.
      if (next - index > maxGap) return [];
      for (; index < next; index++) below.push(null);
      if (index === full) break;
    }
    const bundle = bundles.read(index, tileWidth);
    const tile = stored.read(0, index, tileWidth);
    const parent = stored.hash(1, index);
    const row = decide([bundle.candidate, tile], parent);
    below.push(row === null ? null : treeRoot(row));
    await visit(bundles.check(bundle, row));
  }

  // The right edge: the rows of all levels together must give the root.
  const choices: { level: number; candidates: Candidate[] }[] = [];
  const lastBundle = bundles.read(full, edgeWidth(size, 0));
  const lastTile = stored.read(0, full, edgeWidth(size, 0));
  if (edgeWidth(size, 0) > 0) choices.push({ level: 0, candidates: those([lastBundle.candidate, lastTile]) });

  for (let level = 1; level <= maxLevel && levelCount(size, level) > 0; level++) {
    const above: (Buffer | null)[] = [];
    const count = Math.floor(levelCount(size, level) / tileWidth);
    for (let index = 0; index < count; index++) {
      const tile = stored.read(level, index, tileWidth);
      const computed = computedRow(below, index * tileWidth, tileWidth, level, findings);
      const row = decide([tile, computed], stored.hash(level + 1, index));
      above.push(row === null ? null : treeRoot(row));
    }
    const width = edgeWidth(size, level);
    if (width > 0) {
      const tile = stored.read(level, count, width);
      choices.push({
        level,
        candidates: those([tile, computedRow(below, count * tileWidth, width, level, findings)]),
      });
    }
    below = above;
  }

  const edge = chooseEdge(choices, root);
  if (edge === null && choices.every(({ candidates }) => candidates.length > 0)) {
    findings.add({ file: 'checkpoint', what: 'the tiles at the right edge do not give its root' });
  }
  if (edgeWidth(size, 0) > 0) {
    await visit(bundles.check(lastBundle, edge?.[0] ?? lastBundle.candidate?.row ?? lastTile?.row ?? null));
  }
  return edge ?? [];
};

/** Tiles that may be missing in one stretch and still be walked over one by one. */
const maxGap = 1_000_000;

const those = (candidates: (Candidate | null)[]): Candidate[] =>
  candidates.filter((candidate) => candidate !== null);

/** The row that the parent confirms. All agree: no need to ask. Nobody is confirmed: all are doubted, the first is used. */
const decide = (given: (Candidate | null)[], parent: Buffer | null): Buffer | null => {
  const candidates = those(given);
  const [first, ...others] = candidates;
  if (first === undefined) return null;
  if (others.every(({ row }) => row.equals(first.row))) return first.row;
  const right = candidates.find(({ row }) => parent !== null && treeRoot(row).equals(parent));
  for (const candidate of candidates)
    if (right === undefined || !candidate.row.equals(right.row)) candidate.blame(right?.row ?? null);
  return right?.row ?? first.row;
};

/** One candidate of each level such that the root comes out; those that contradict it are blamed. */
const chooseEdge = (choices: { level: number; candidates: Candidate[] }[], root: Buffer): Buffer[] | null => {
  const pick = (at: number, row: Buffer[]): Buffer[] | null => {
    const choice = choices[at];
    if (choice === undefined) return foldPeaks(row.toReversed().flatMap(peaks)).equals(root) ? row : null;
    for (const candidate of choice.candidates) {
      const found = pick(at + 1, [...row, candidate.row]);
      if (found !== null) return found;
    }
    return null;
  };
  const rows = pick(0, []);
  const byLevel: Buffer[] = [];
  for (const [i, { level, candidates }] of choices.entries()) {
    const chosen = rows?.[i];
    for (const candidate of candidates) {
      const isDoubted = candidates.some(({ row }) => !row.equals(chosen ?? candidate.row));
      if (chosen === undefined ? isDoubted : !candidate.row.equals(chosen)) candidate.blame(chosen ?? null);
    }
    if (chosen !== undefined) byLevel[level] = chosen;
  }
  return rows === null ? null : byLevel;
};

const computedRow = (
  below: readonly (Buffer | null)[],
  from: number,
  width: number,
  level: number,
  findings: Findings,
): Candidate | null => {
  const hashes = below.slice(from, from + width);
  const known = hashes.filter((hash) => hash !== null);
  if (known.length !== width) return null;
  const row = Buffer.concat(known);
  return {
    row,
    // Wherever the fault shows further down it has been named there; only a change that agrees with itself has not.
    blame(chosen) {
      for (const [i, hash] of known.entries()) {
        if (chosen !== null && hash.equals(hashAt(chosen, i))) continue;
        const tile = { index: from + i, width: tileWidth };
        const files = [tilePath({ level: level - 1, ...tile }), tilePath({ level: 'entries', ...tile })];
        if (files.some((file) => findings.has(file))) continue;
        for (const file of level === 1 ? files : files.slice(0, 1)) {
          findings.add({ file, what: `changed: what it gives does not match tile/${level}` });
        }
      }
    },
  };
};

/** Indices of which there is a bundle or a lowest tile. */
const presentIndices = (vault: string): number[] => {
  const present = new Set<number>();
  for (const part of ['tile/entries', 'tile/0'])
    for (const found of walkVault(vault, part))
      if ('file' in found && found.file.kind === 'tile') present.add(found.file.tile.index);
  return [...present].sort((a, b) => a - b);
};

/** The first index from `index` on that is present, or `end`. */
const skipMissing = (present: readonly number[], index: number, end: number): number => {
  let low = 0;
  let high = present.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((present[middle] ?? 0) < index) low = middle + 1;
    else high = middle;
  }
  return Math.min(present[low] ?? end, end);
};

const reportGap = (from: number, to: number, findings: Findings): void => {
  for (const level of ['entries', 0] as const) {
    const first = tilePath({ level, index: from, width: tileWidth });
    const more =
      to - from > 1 ? ` and all up to ${tilePath({ level, index: to - 1, width: tileWidth })}` : '';
    findings.add({
      file: first,
      what: `missing${more}: entries ${from * tileWidth} to ${to * tileWidth - 1}`,
    });
  }
};
