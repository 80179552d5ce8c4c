import { join } from 'node:path';
import { maxNote, parseCheckpoint, parseHistory, type Checkpoint } from '#vault/checkpoint';
import { historyPath, historySpan, indexPath, sha256 } from '#vault/tree';
import { readBounded } from './files.ts';
import { cannotRead, messageOf, type Findings } from './report.ts';

/** A published checkpoint as the history keeps it. Its signatures were NOT checked. */
export type KeptCheckpoint = Checkpoint & { sha256: string };

/** One history file, read. */
export type HistoryFile = {
  file: string;
  bySize: ReadonlyMap<number, KeptCheckpoint>;
  /** Bytes after the last whole checkpoint: damage, unless a commit that is pending was being written there. */
  tail: { at: number; bytes: Buffer } | null;
};

export type History = {
  /** The checkpoint that was published with a size. One file is in memory: ask for sizes in ascending order. */
  at(size: number): KeptCheckpoint | null;
  /** As `at`, and an entry follows it. */
  pinned(size: number): KeptCheckpoint | null;
  /** History file `index` as it is now; what is wrong with its form is found once. */
  file(index: number): HistoryFile;
  /** What no entry follows, in the files that were read, up to `size`. To be called at the end. */
  strays(size: number): readonly { file: string; size: number }[];
  /** Path of the file that keeps the newest checkpoint of a log of this size. */
  newestPath(size: number): string;
  /** Whether file `index` was read for one of its checkpoints. */
  wasRead(index: number): boolean;
};

/** Bytes that a history file can have. */
export const maxHistoryFile = historySpan * (2 + maxNote);

const mostStrays = 1000;

/** The published checkpoints. Whether they are all there is for the entries to say, which pin each of them. */
export const openHistory = (vault: string, findings: Findings): History => {
  let open: { index: number; file: HistoryFile; unpinned: Set<number> } | null = null;
  const read = new Set<number>();
  const strays: { file: string; size: number }[] = [];

  const close = (): void => {
    if (open === null) return;
    for (const size of open.unpinned)
      if (strays.length < mostStrays) strays.push({ file: open.file.file, size });
    open = null;
  };

  const load = (index: number): NonNullable<typeof open> => {
    if (open?.index === index) return open;
    close();
    const quiet = read.has(index);
    read.add(index);
    const file = readFile(vault, index, (what) => {
      if (!quiet) findings.add({ file: `history/${indexPath(index)}`, ...what });
    });
    open = { index, file, unpinned: new Set(quiet ? [] : file.bySize.keys()) };
    return open;
  };

  const at = (size: number): KeptCheckpoint | null =>
    load(Math.floor(size / historySpan)).file.bySize.get(size) ?? null;

  return {
    at,
    pinned(size) {
      const kept = at(size);
      open?.unpinned.delete(size);
      return kept;
    },
    file: (index) => load(index).file,
    strays(size) {
      close();
      return strays.filter((stray) => stray.size <= size);
    },
    newestPath: historyPath,
    wasRead: (index) => read.has(index),
  };
};

const readFile = (
  vault: string,
  index: number,
  wrong: (problem: { what: string; unseen?: true }) => void,
): HistoryFile => {
  const file = `history/${indexPath(index)}`;
  const bySize = new Map<number, KeptCheckpoint>();
  let bytes: Buffer | null;
  try {
    bytes = readBounded(join(vault, file), maxHistoryFile);
  } catch (error) {
    wrong(cannotRead(error));
    return { file, bySize, tail: null };
  }
  if (bytes === null) return { file, bySize, tail: null };
  const { notes, rest } = parseHistory(bytes);
  let last = -1;
  let fault: string | null = null;
  for (const [i, note] of notes.entries()) {
    try {
      const checkpoint = parseCheckpoint(note);
      if (historyPath(checkpoint.size) !== file)
        throw new Error(`of size ${checkpoint.size}, which belongs elsewhere`);
      if (checkpoint.size <= last) {
        fault ??= `the checkpoint of size ${checkpoint.size} is out of order`;
        continue;
      }
      last = checkpoint.size;
      bySize.set(checkpoint.size, { ...checkpoint, sha256: sha256(note).toString('hex') });
    } catch (error) {
      fault ??= `changed: checkpoint ${i} in it: ${messageOf(error)}`;
    }
  }
  if (fault !== null) wrong({ what: fault });
  const at = bytes.length - rest;
  return { file, bySize, tail: rest > 0 ? { at, bytes: bytes.subarray(at) } : null };
};
