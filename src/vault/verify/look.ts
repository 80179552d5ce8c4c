import { join } from 'node:path';
import { maxNote, parseCheckpoint, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { nothingKnown } from './completeness.ts';
import { readBounded, walkVault } from './files.ts';
import { judgeContradiction, readContradiction, withoutLog, type Contradiction } from './contradiction.ts';
import { judgeFreshness, noPresent, type Present } from './freshness.ts';
import { openHistory } from './history.ts';
import {
  judgeSeen,
  judgeWitnessed,
  parseWitnesses,
  readWitnessed,
  sizesOf,
  type LogView,
  type OutsideNote,
  type Witnessed,
} from './outside.ts';
import { listStaging } from './pending.ts';
import { findPublished, isRemoving, readPublished, type FoundPublished } from './published.ts';
import { lookAtRange } from './range.ts';
import { newFindings, plural, type Findings, type VerifyOptions, type VerifyReport } from './report.ts';
import { scanBundles, type Amended, type Scan } from './scan.ts';
import type { Tally } from './segments.ts';
import { keyEntriesOf, openerOf } from './signers.ts';
import { lookAtAll } from './whole.ts';

/** What a look begins with, whether all of the vault is checked or a part. */
export type Looking = {
  options: VerifyOptions;
  vkey: Vkey;
  /** What the log is checked against. */
  target: Checkpoint;
  scan: Scan;
  /** Amendments of the log, as far as is known before it is checked. */
  amendments: readonly Amended[];
  /** Opens a checkpoint by any key of the log. */
  open: (note: Buffer) => Checkpoint;
  findings: Findings;
  tally: Tally;
  /** Sizes at which notes from outside will ask for the root. */
  watched: ReadonlySet<number>;
  hasMovedOn: () => boolean;
  /** Whether the files that an expire or redact entry takes away may still be there. */
  mayBeThere: (amendment: number) => boolean;
  /** Notes from outside, held against the log. */
  judgeNotes: (log: LogView) => OutsideNote[];
  progress: (entries: number) => void;
};

/** What a look at all or a part of it has found, besides problems. */
export type Looked = Pick<VerifyReport, 'scope' | 'completeness' | 'keys' | 'entries' | 'uncommitted'> & {
  notes: OutsideNote[];
  unwitnessedSince: Present['unwitnessedSince'];
  /** Amendments that are under the root; `null` where not all were looked for. */
  amendments: readonly Amended[] | null;
  sawStaging: boolean;
};

export type Look = {
  report: VerifyReport;
  /** Whether a keeper was at work meanwhile. */
  isInMotion: () => boolean;
  /** The amendments of the log, if they are not those that segments were judged by. */
  amendments: readonly Amended[] | null;
};

/** @param known amendments, from an earlier look; else those that the bundles claim to hold */
export const look = async (
  options: VerifyOptions,
  vkey: Vkey,
  known: readonly Amended[] | null,
): Promise<Look> => {
  const { vault, lock } = options;
  const findings = newFindings();
  const scan = scanBundles(vault, claimedSize(vault), options.range);
  if (scan.isTruncated)
    findings.add({ file: 'tile/entries', what: 'holds more amendments than are kept in mind', unseen: true });
  const claims = known ?? scan.amendments;
  const open = openerOf(vkey, keyEntriesOf(claims));
  const heard = hear(options);
  const found = findPublished(vault, open, lock, findings);
  const { published } = found;
  const hasMovedOn = (): boolean => {
    const now = readPublished(vault, open);
    return published !== null && typeof now !== 'string' && now.size > published.size;
  };
  const isInMotion = (): boolean => hasMovedOn() || listStaging(vault).length > 0;
  // Without a checkpoint of its own the vault is still held against the newest signed one that can be found.
  const target = published ?? newestOf(newestKept(vault, open), found.signed);
  if (target === null)
    return { report: reportNothing(vault, findings, found, heard), isInMotion, amendments: null };

  const amendments = claims.filter(({ index }) => index < target.size);
  const witnesses = parseWitnesses(options.witnesses ?? [], findings);
  const tally = { lines: 0, doneLines: 0, doneBytes: 0 };
  const looking: Looking = {
    options,
    vkey,
    target,
    scan,
    amendments,
    open,
    findings,
    tally,
    watched: heard.sizes,
    hasMovedOn,
    mayBeThere: (index) =>
      index >= scan.lastCommit || found.removing.has(index) || isRemoving(lock, open, index),
    judgeNotes: (log) => [
      ...judgeSeen(options.seen ?? [], witnesses, log, findings),
      ...judgeWitnessed(heard.witnessed, witnesses, log, findings),
      ...judgeContradiction(heard.contradiction, log, findings),
    ],
    progress: (entries) =>
      options.onProgress?.({
        entries: { done: entries, total: scan.claimed.entries },
        lines: { done: tally.doneLines, total: scan.claimed.lines },
        bytes: { done: tally.doneBytes, total: scan.claimed.bytes },
      }),
  };
  const looked = await (options.range === undefined ? lookAtAll(looking) : lookAtRange(looking));
  const wereTrue = looked.amendments === null || isSame(looked.amendments, amendments);
  return {
    report: reportOf(looking, looked, found, heard),
    isInMotion: () => looked.sawStaging || isInMotion(),
    amendments: wereTrue ? null : looked.amendments,
  };
};

/** What others remember, and when it was read. */
type HeardOf = {
  witnessed: Witnessed;
  contradiction: Contradiction | null;
  sizes: ReadonlySet<number>;
  /** Seconds since 1970 */
  at: number | null;
};

/** Before the checkpoint is read, which is never behind what a keeper at work has witnessed. */
const hear = ({ vault, contradiction: file, seen = [], now }: VerifyOptions): HeardOf => {
  const witnessed = readWitnessed(vault);
  const contradiction = readContradiction(file);
  const sizes = sizesOf([
    ...seen.map(({ note }) => note),
    ...(Buffer.isBuffer(witnessed) ? [witnessed] : []),
    ...(contradiction?.kind === 'note' ? [contradiction.note] : []),
  ]);
  return { witnessed, contradiction, sizes, at: now === undefined ? null : Math.floor(now() / 1_000_000) };
};

const isSame = (one: readonly Amended[], other: readonly Amended[]): boolean =>
  one.length === other.length && one.every(({ index }, i) => index === other[i]?.index);

const reportOf = (
  { target, findings, tally }: Looking,
  { notes, unwitnessedSince, amendments: _amendments, sawStaging: _sawStaging, ...looked }: Looked,
  { memory }: FoundPublished,
  { at }: HeardOf,
): VerifyReport => ({
  ...verdictOf(
    findings,
    `${plural(tally.lines, 'line')} in ${plural(looked.entries, 'entry', 'entries')}, from the stored bytes to the signature of ${target.origin}`,
  ),
  ...looked,
  freshness: judgeFreshness(target.size, memory, notes, { now: at, unwitnessedSince }),
  lines: tally.lines,
  origin: target.origin,
  size: target.size,
  root: target.root.toString('base64'),
});

/** Of a vault in which no checkpoint can be believed. */
const reportNothing = (
  vault: string,
  findings: Findings,
  { memory }: FoundPublished,
  { contradiction }: HeardOf,
): VerifyReport => {
  const notes = contradiction === null ? [] : [withoutLog(contradiction, findings)];
  for (const found of walkVault(vault))
    if (!('file' in found)) findings.add({ file: found.path, what: found.what });
  return {
    ...verdictOf(findings, 'there is no checkpoint to go by'),
    completeness: nothingKnown('there is no checkpoint to go by'),
    freshness: judgeFreshness(0, memory, notes, noPresent),
    scope: 'whole',
    origin: null,
    size: 0,
    root: null,
    keys: null,
    lines: 0,
    entries: 0,
    uncommitted: 0,
  };
};

const verdictOf = (
  findings: Findings,
  good: string,
): Pick<VerifyReport, 'ok' | 'integrity' | 'problems' | 'more'> => {
  const { problems } = findings;
  const more = findings.more();
  const count = problems.length + more;
  const verdict = count === 0 ? 'unaltered' : findings.isOnlyUnseen() ? 'unknown' : 'altered';
  return {
    ok: count === 0,
    integrity: { verdict, detail: count === 0 ? good : plural(count, 'problem') },
    problems,
    more,
  };
};

/** Size of the checkpoint as it says itself; everything that there is where it says none. */
const claimedSize = (vault: string): number => {
  try {
    const note = readBounded(join(vault, 'checkpoint'), maxNote);
    return note === null ? Infinity : parseCheckpoint(note).size;
  } catch {
    return Infinity;
  }
};

const newestOf = (kept: Checkpoint | null, signed: Checkpoint | null): Checkpoint | null =>
  signed !== null && signed.size > (kept?.size ?? -1) ? signed : kept;

/** The newest checkpoint in the history that is signed. */
const newestKept = (vault: string, open: (note: Buffer) => Checkpoint): Checkpoint | null => {
  const indices: number[] = [];
  for (const found of walkVault(vault, 'history'))
    if ('file' in found && found.file.kind === 'history') indices.push(found.file.index);
  const history = openHistory(vault, newFindings());
  for (const index of indices.sort((a, b) => b - a)) {
    for (const { note } of [...history.file(index).bySize.values()].toReversed()) {
      try {
        return open(note);
      } catch {
        // Said when the history is checked.
      }
    }
  }
  return null;
};
