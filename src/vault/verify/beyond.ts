import { join } from 'node:path';
import type { Checkpoint } from '#vault/checkpoint';
import { historyPath, historySpan, maxBundle, maxSegment, maxUncommitted } from '#vault/tree';
import { readBounded } from './files.ts';
import type { History } from './history.ts';
import { readStaging, type PendingCommit } from './pending.ts';
import { messageOf, type Findings } from './report.ts';
import { checkAlone } from './segment.ts';

type Checking = {
  vault: string;
  history: History;
  target: Checkpoint;
  /** The commit that is pending now; `null` if there is none. */
  pending: () => PendingCommit | null;
  findings: Findings;
  /** Whether a keeper has published a larger log since: then what lies beyond `target` is of that. */
  hasMovedOn: () => boolean;
};

/** What a file beyond the checkpoint is: not committed, gone, or what is wrong with it. */
type Beyond = 'uncommitted' | 'gone' | { what: string };

/**
 * Checks what lies beyond the checkpoint. No root covers it, so nothing is taken on trust: tiles and history must be
 * of a commit that is pending, to the byte; a segment must be one of its, or at least a batch of that entry.
 */
export const newBeyondCheck = ({ vault, history, target, pending, findings, hasMovedOn }: Checking) => {
  let uncommitted = 0;

  const note = (file: string, check: () => Beyond): void => {
    let found: Beyond;
    try {
      found = check();
    } catch (error) {
      found = { what: `cannot be read: ${messageOf(error)}` };
    }
    // Asked last: a keeper that has published meanwhile explains all of it.
    if (found === 'uncommitted' || (found !== 'gone' && hasMovedOn())) uncommitted += 1;
    else if (found !== 'gone') findings.add({ file, what: found.what });
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
    segment(file: string, entry: number): void {
      note(file, () => {
        const stored = readBounded(join(vault, file), maxSegment);
        if (stored === null) return 'gone';
        const staged = pending()?.entries.get(entry);
        // With its commit it has been checked against its entry.
        if (staged?.kind === 'batch') return 'uncommitted';
        if (staged === undefined && entry < target.size + maxUncommitted) {
          const { what } = checkAlone(entry, stored);
          if (what === null) return 'uncommitted';
        }
        return { what: 'unexpected: beyond the checkpoint, and no batch of a commit that was under way' };
      });
    },
    /** A history file that begins beyond the checkpoint. */
    historyFile(file: string): void {
      note(file, () =>
        pending()?.history.path === file
          ? 'uncommitted'
          : { what: 'unexpected: beyond the checkpoint, and of no commit that is under way' },
      );
    },
    /** Checkpoints that were signed and are larger than the published one. */
    history(): void {
      for (const size of history.sizes.filter((other) => other > target.size)) {
        const commit = pending();
        const root = history.bySize.get(size)?.root;
        const isNext = commit !== null && commit.size === size && root?.equals(commit.root) === true;
        if (isNext || hasMovedOn()) continue;
        findings.add({
          file: historyPath(size),
          what: `rolled back: it holds the checkpoint of size ${size}, the published one has size ${target.size}`,
        });
      }
    },
  };
};

/** Whether history file `index` begins beyond a log of this size. */
export const isHistoryBeyond = (index: number, size: number): boolean => index * historySpan > size;
