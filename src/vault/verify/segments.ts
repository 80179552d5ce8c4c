import { lstatSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { maxSegment, segmentPath, type BatchEntry } from '#vault/tree';
import type { Rules } from './amendments.ts';
import type { CompletenessCheck } from './completeness.ts';
import { readBounded } from './files.ts';
import { cannotRead, type Findings } from './report.ts';
import { checkAlone } from './segment.ts';
import { runSegmentJob, type SegmentJob, type SegmentResult } from './segment-job.ts';
import { startThreads, type SegmentThreads } from './segment-threads.ts';

/** `lines`: in segments that are whole. The others: what has been dealt with, as the entries say. Manifests left out. */
export type Tally = { lines: number; doneLines: number; doneBytes: number };

type Checking = {
  vault: string;
  rules: Rules;
  findings: Findings;
  completeness: CompletenessCheck;
  tally: Tally;
  /** Whether what an expire or redact entry takes away may still be there. */
  mayBeThere: (amendment: number) => boolean;
  threads: number | undefined;
};

export type SegmentChecks = {
  /** Begins to check the segment of a batch entry; waits where too many are under way. */
  check(index: number, entry: BatchEntry): Promise<void>;
  /** A segment whose entry no file has any more: it can only be held against itself. */
  alone(index: number): void;
  /** Until all are done. @returns hashes of segments that are not what their entries name, and whose they were */
  end(): Promise<ReadonlyMap<string, number>>;
};

/** So much is checked before threads are started, which takes longer than a small vault does. */
const smallCount = 512;
const smallBytes = 8 * 1024 * 1024;

const mostStrays = 10_000;

/** Checks segments, in as many threads as there are cores where there are many of them. What it finds is in order. */
export const newSegmentChecks = (checking: Checking): SegmentChecks => {
  const { vault, rules, findings, completeness, tally, mayBeThere } = checking;
  const strays = new Map<string, number>();
  const underWay: { done: Promise<SegmentResult>; take: (result: SegmentResult) => void }[] = [];
  let pool: SegmentThreads | null = null;
  let count = 0;
  let bytes = 0;

  const takeFirst = async (): Promise<void> => {
    const first = underWay.shift();
    if (first !== undefined) first.take(await first.done);
  };

  const run = async (job: SegmentJob, take: (result: SegmentResult) => void): Promise<void> => {
    count += 1;
    bytes += job.expected.segment.length;
    if (pool === null && (count > smallCount || bytes > smallBytes))
      pool = startThreads(checking.threads ?? availableParallelism());
    if (pool === null) {
      take(runSegmentJob(job));
      return;
    }
    underWay.push({ done: pool.run(job), take });
    if (underWay.length >= pool.depth) await takeFirst();
  };

  return {
    async check(index, entry) {
      const { expiry, redaction } = rules.of(index, entry.class);
      const file = segmentPath(index, redaction?.index);
      const expected = {
        root: entry.root,
        lines: entry.lines,
        earliest: entry.earliest,
        latest: entry.latest,
        segment: redaction?.segment ?? entry.segment,
        redacted: redaction?.lines ?? [],
      };
      if (expiry !== null) {
        completeness.expired(index, entry.lines - 1, expiry);
        tally.doneLines += entry.lines - 1;
        tally.doneBytes += entry.segment.length;
        if (!mayBeThere(expiry) && isThere(vault, file))
          findings.add({
            file,
            entry: index,
            what: `unexpected: expired under entry ${expiry} and still there`,
          });
        return;
      }
      const lines = `${index}:0..${entry.lines - 1}`;
      await run({ vault, file, entry: index, expected }, (result) => {
        tally.doneLines += entry.lines - 1;
        tally.doneBytes += entry.segment.length;
        switch (result.kind) {
          case 'whole':
            tally.lines += result.lines - 1;
            completeness.add(index, result.senders);
            if (redaction !== null) completeness.redacted(index, result.redacted, redaction.index);
            return;
          case 'missing':
            completeness.lost(index);
            findings.add({ file, entry: index, lines, what: 'missing, and no entry says that it expired' });
            return;
          case 'wrong': {
            completeness.lost(index);
            const unseen = result.unseen === true ? { unseen: true as const } : {};
            findings.add({ file, entry: index, lines, what: result.what, ...unseen });
            if (result.hash !== null && strays.size < mostStrays) strays.set(result.hash, index);
          }
        }
      });
    },
    alone(index) {
      completeness.lost(index);
      const file = segmentPath(index);
      try {
        const stored = readBounded(join(vault, file), maxSegment);
        if (stored === null) return;
        const found = checkAlone(index, stored);
        const lines = found.lines === null ? {} : { lines: `${index}:0..${found.lines - 1}` };
        findings.add({
          file,
          entry: index,
          ...lines,
          what: found.what ?? 'cannot be checked: its entry is lost',
        });
      } catch (error) {
        findings.add({ file, entry: index, ...cannotRead(error) });
      }
    },
    async end() {
      while (underWay.length > 0) await takeFirst();
      await pool?.close();
      pool = null;
      return strays;
    },
  };
};

const isThere = (vault: string, file: string): boolean =>
  lstatSync(join(vault, file), { throwIfNoEntry: false }) !== undefined;
