import { join } from 'node:path';
import { checkpointText, maxNote, type Checkpoint } from '#vault/checkpoint';
import { historySpan, maxBundle, maxSegment, maxUncommitted } from '#vault/tree';
import { readBounded } from './files.ts';
import type { History, HistoryFile } from './history.ts';
import { readStaging, type PendingCommit } from './pending.ts';
import { cannotRead, messageOf, type Findings } from './report.ts';
import { checkAlone } from './segment.ts';

type Checking = {
  vault: string;
  history: History;
  target: Checkpoint;
  /** Opens a checkpoint by any key of the log. */
  open: (note: Buffer) => Checkpoint;
  /** The commit that is pending now; `null` if there is none. */
  pending: () => PendingCommit | null;
  findings: Findings;
  /** Whether a keeper has published a larger log since: then what lies beyond `target` is of that. */
  hasMovedOn: () => boolean;
};

/** What a file beyond the checkpoint is: not committed, gone, or what is wrong with it. */
type Beyond = 'uncommitted' | 'gone' | { what: string; unseen?: true };

/**
 * Checks what lies beyond the checkpoint. No root covers it, so nothing is taken on trust: tiles and history must be
 * of a commit that is pending, to the byte; a segment must be one of its, or at least a batch of that entry.
 */
export const newBeyondCheck = (checking: Checking) => {
  const { vault, history, target, open, pending, findings, hasMovedOn } = checking;
  let uncommitted = 0;

  const note = (file: string, check: () => Beyond): void => {
    let found: Beyond;
    try {
      found = check();
    } catch (error) {
      found = cannotRead(error);
    }
    // Asked last: a keeper that has published meanwhile explains all of it.
    if (found === 'uncommitted' || (found !== 'gone' && hasMovedOn())) uncommitted += 1;
    else if (found !== 'gone') findings.add({ file, ...found });
  };

  /** Checkpoints that were signed and are larger than the published one, and what is only the beginning of one. */
  const largerNotes = ({ file, bySize, tail }: HistoryFile): void => {
    if (tail !== null) {
      note(file, () => {
        const commit = pending();
        const isBegun =
          commit?.history.path === file &&
          commit.history.offset === tail.at &&
          isBeginning(tail.bytes, commit, target);
        return isBegun ? 'uncommitted' : { what: `${tail.bytes.length} bytes at its end are no checkpoint` };
      });
    }
    for (const [size, kept] of bySize) {
      if (size <= target.size) continue;
      const commit = pending();
      if (commit !== null && commit.size === size && kept.root.equals(commit.root)) continue;
      if (hasMovedOn()) continue;
      findings.add({ file, what: signedBeyond(size, kept.note) });
    }
  };

  const signedBeyond = (size: number, bytes: Buffer): string => {
    try {
      open(bytes);
      return `rolled back: it holds the checkpoint of size ${size}, the published one has size ${target.size}`;
    } catch (error) {
      return `changed: it holds a checkpoint of size ${size} that the log did not sign: ${messageOf(error)}`;
    }
  };

  return {
    uncommitted: () => uncommitted,
    staging(file: string): void {
      note(file, () => {
        const name = file.slice('staging/'.length);
        // Removed by the next start, never read: bytes that were being written when a keeper died.
        if (/^tmp-[0-9]+-[^/]+$/.test(name)) return 'uncommitted';
        const staging = readStaging(vault, name, target);
        switch (staging.kind) {
          case 'pending':
          case 'published':
            return 'uncommitted';
          case 'gone':
            return 'gone';
          case 'wrong':
            return { what: `unexpected: no commit that continues this checkpoint: ${staging.why}` };
        }
      });
    },
    tile(file: string): void {
      note(file, () => {
        const bytes = readBounded(join(vault, file), maxBundle);
        if (bytes === null) return 'gone';
        return pending()?.files.get(file)?.equals(bytes) === true
          ? 'uncommitted'
          : { what: 'unexpected: beyond the checkpoint, and of no commit that is under way' };
      });
    },
    /** @param from the entry whose commit wrote it: the batch, or the redact entry that names the revision */
    segment(file: string, entry: number, from: number): void {
      note(file, () => {
        const stored = readBounded(join(vault, file), maxSegment);
        if (stored === null) return 'gone';
        const staged = pending()?.entries.get(from);
        // With its commit it has been checked against its entry.
        if (staged?.kind === (from === entry ? 'batch' : 'redact')) return 'uncommitted';
        if (staged === undefined && from < target.size + maxUncommitted) {
          const { what } = checkAlone(entry, stored);
          if (what === null) return 'uncommitted';
        }
        return { what: 'unexpected: beyond the checkpoint, and no batch of a commit that was under way' };
      });
    },
    /** A history file that begins beyond the checkpoint. */
    historyFile(path: string, index: number): void {
      note(path, () =>
        pending()?.history.path === path
          ? 'uncommitted'
          : { what: 'unexpected: beyond the checkpoint, and of no commit that is under way' },
      );
      largerNotes(history.file(index));
    },
    /** What follows the newest checkpoint in its history file. */
    newestHistory(): void {
      largerNotes(history.file(Math.floor(target.size / historySpan)));
    },
    /** Bytes after the last checkpoint of an earlier file. */
    tailOf(index: number): void {
      const { file, tail } = history.file(index);
      if (tail !== null)
        findings.add({ file, what: `${tail.bytes.length} bytes at its end are no checkpoint` });
    },
  };
};

/** Whether bytes are the first of a history's note for this commit, which a crash cut short. */
const isBeginning = (bytes: Buffer, { size, root }: PendingCommit, { origin }: Checkpoint): boolean => {
  const text = Buffer.from(`${checkpointText(origin, size, root)}\n`);
  const length = bytes.length < 2 ? maxNote : bytes.readUInt16BE(0);
  const begun = bytes.subarray(2, 2 + text.length);
  return length <= maxNote && bytes.length < 2 + length && begun.equals(text.subarray(0, begun.length));
};

/** Whether history file `index` begins beyond a log of this size. */
export const isHistoryBeyond = (index: number, size: number): boolean => index * historySpan > size;
