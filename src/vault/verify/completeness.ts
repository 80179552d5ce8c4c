import { newNumbering, type Hole } from './numbering.ts';
import { plural } from './report.ts';
import type { Loss, SenderSummary } from './senders.ts';
import { newStretches } from './stretches.ts';

/** Something that was sent, or received, and is not there. Times are RFC 3339, as far as they are known. */
export type Gap = {
  /** Stream, listener or sender. */
  sender: string;
  cause: string;
  /** Lines; `null` where nobody counted them. */
  count: number | null;
  /** Numbers that are missing; `null` for what was not numbered. */
  first: number | null;
  last: number | null;
  from: string | null;
  until: string | null;
};

/** What was taken out of the vault under an entry of its log. */
export type Removed = {
  kind: 'expired' | 'redacted';
  /** Batch entries `first` to `end` − 1. */
  first: number;
  end: number;
  /** Lines, manifests left out. */
  lines: number;
  /** Index of the entry under which it was. */
  under: number;
};

export type Completeness = {
  /**
   * `complete`: every sender numbers its lines, and no number is missing up to the newest of each. `known gaps`: some
   * are. `unknown`: nobody can tell, as `unknown` says.
   */
  verdict: 'complete' | 'known gaps' | 'unknown';
  detail: string;
  gaps: Gap[];
  /** Gaps that are not listed. */
  more: number;
  removed: Removed[];
  moreRemoved: number;
  /** What cannot be told, and why. */
  unknown: string[];
};

export const nothingKnown = (why: string): Completeness => ({
  verdict: 'unknown',
  detail: why,
  gaps: [],
  more: 0,
  removed: [],
  moreRemoved: 0,
  unknown: [why],
});

export type CompletenessCheck = {
  /** A batch that is whole. */
  add(entry: number, summary: SenderSummary): void;
  expired(entry: number, lines: number, under: number): void;
  redacted(entry: number, lines: number, under: number): void;
  /** A batch whose lines cannot be counted: it is missing or was changed. */
  lost(entry: number): void;
  /** @param whole whether all of the log was looked at, so that streams are known from their first line */
  end(whole: boolean): Completeness;
};

const mostGaps = 1000;
const mostSenders = 20;
const mostKnownSenders = 100_000;

/** What the vault itself shows of what is missing: numbers, losses that were put into words, and what was taken out. */
export const newCompletenessCheck = (): CompletenessCheck => {
  const numbering = newNumbering();
  const expired = newStretches();
  const redacted = newStretches();
  const lost = newStretches();
  const losses = newLosses();
  const unnumbered = new Set<string>();
  let moreUnnumbered = 0;
  let summaries = 0;
  const lostIntake = { pieces: 0, bytes: 0 };

  return {
    add(entry, summary) {
      summaries += 1;
      for (const run of summary.runs) numbering.add(entry, run);
      for (const loss of summary.losses) losses.add(loss);
      losses.addMore(summary.moreLosses);
      for (const sender of summary.unnumbered) {
        if (unnumbered.has(sender)) continue;
        if (unnumbered.size < mostKnownSenders) unnumbered.add(sender);
        else moreUnnumbered += 1;
      }
      lostIntake.pieces += summary.lostIntake.pieces;
      lostIntake.bytes += summary.lostIntake.bytes;
    },
    expired: (entry, lines, under) => expired.add(entry, lines, under),
    redacted: (entry, lines, under) => redacted.add(entry, lines, under),
    lost: (entry) => lost.add(entry, 0, 0),
    end(whole) {
      const gaps: Gap[] = [];
      let more = losses.more();
      let excused = 0;
      const add = (gap: Gap): void => {
        if (gaps.length < mostGaps) gaps.push(gap);
        else more += 1;
      };
      for (const hole of numbering.holes(whole)) {
        const span = { first: hole.before?.entry ?? 0, end: hole.after.entry + 1 };
        const count = hole.last - hole.first + 1;
        if (expired.within(span) !== null || (redacted.within(span)?.lines ?? 0) >= count) excused += 1;
        else add(gapOf(hole, lost.within(span) !== null));
      }
      for (const gap of losses.gaps()) add(gap);
      if (lostIntake.pieces > 0 && losses.count() === 0) add(lostIntakeGap(lostIntake));
      const unknown = [
        ...(unnumbered.size > 0 ? [silent([...unnumbered], moreUnnumbered)] : []),
        ...(expired.size() > 0 ? [goneWith(expired.all('expired'))] : []),
        ...(lost.size() > 0
          ? [
              `lines of ${plural(lost.size(), 'entry', 'entries')} that are not whole cannot be counted: ${lost.named()}`,
            ]
          : []),
        ...(numbering.forgotten() > 0
          ? [
              `there are more streams or gaps than are kept in mind: ${numbering.forgotten()} runs of numbers were left out`,
            ]
          : []),
        ...(excused > 0
          ? [
              `${plural(excused, 'gap')} in numbers may be what expired or was redacted, as far as can be seen`,
            ]
          : []),
        ...(whole ? [] : ['what came before and after the range was not looked at']),
      ];
      const hasGaps = gaps.length + more > 0;
      const removed = [...redacted.all('redacted'), ...expired.all('expired')];
      const detail = [
        hasGaps
          ? `${plural(gaps.length + more, 'gap')}`
          : numbersSeen(numbering.streams(), summaries, expired.size() > 0),
        ...unknown,
      ].join('; ');
      return {
        verdict: hasGaps ? 'known gaps' : unknown.length > 0 ? 'unknown' : 'complete',
        detail,
        gaps,
        more,
        removed: removed.slice(0, mostGaps),
        moreRemoved: Math.max(0, removed.length - mostGaps),
        unknown,
      };
    },
  };
};

/** What expired took its senders' names and numbers along. */
const goneWith = (expired: readonly Removed[]): string => {
  const lines = expired.reduce((sum, stretch) => sum + stretch.lines, 0);
  return `what was missing from the ${plural(lines, 'line')} that expired, and who sent them, can no longer be seen`;
};

const numbersSeen = (streams: number, summaries: number, hasExpired: boolean): string =>
  streams === 0
    ? summaries === 0
      ? hasExpired
        ? 'no lines are left'
        : 'there are no lines'
      : 'no numbered lines'
    : `no number is missing up to the newest of ${plural(streams, 'stream')}; whether anything was sent after that cannot be seen`;

const silent = (names: readonly string[], more: number): string => {
  const shown = names.slice(0, mostSenders).join(', ');
  const rest = names.length - mostSenders + more;
  return `nobody can tell what is missing from senders that do not number their lines: ${shown}${names.length > mostSenders ? ` and ${Math.max(rest, 1)} more` : ''}`;
};

const gapOf = ({ stream, first, last, before, after }: Hole, besideLost: boolean): Gap => ({
  sender: Buffer.from(stream, 'latin1').toString('utf8'),
  cause: besideLost ? 'not there: entries around them are not whole' : 'never came',
  count: last - first + 1,
  first,
  last,
  from: before === null ? null : rfc3339(before.received),
  until: rfc3339(after.received),
});

const lostIntakeGap = ({ pieces, bytes }: { pieces: number; bytes: number }): Gap => ({
  sender: 'intake',
  cause: `${plural(pieces, 'piece')} of intake, ${plural(bytes, 'byte')}, were no delivery`,
  count: null,
  first: null,
  last: null,
  from: null,
  until: null,
});

/** Losses of one sender and cause are one gap. */
const newLosses = () => {
  const known = new Map<string, Gap & { earliest: number; latest: number }>();
  let more = 0;
  let count = 0;
  return {
    add({ sender, cause, count: lines, since, until, received }: Loss): void {
      count += 1;
      const key = `${sender}\n${cause}`;
      const gap = known.get(key);
      if (gap === undefined) {
        if (known.size >= mostGaps) {
          more += 1;
          return;
        }
        const from = since ?? rfc3339(received);
        const times = { from, until: until ?? rfc3339(received), earliest: received, latest: received };
        known.set(key, { sender, cause, count: lines, first: null, last: null, ...times });
        return;
      }
      gap.count = gap.count === null || lines === null ? null : gap.count + lines;
      if (received < gap.earliest) {
        gap.earliest = received;
        gap.from = since ?? rfc3339(received);
      }
      if (received > gap.latest) {
        gap.latest = received;
        gap.until = until ?? rfc3339(received);
      }
    },
    addMore(losses: number): void {
      more += losses;
    },
    count: () => count,
    more: () => more,
    gaps: (): Gap[] => [...known.values()].map(({ earliest: _earliest, latest: _latest, ...gap }) => gap),
  };
};

/** RFC 3339 with six decimals, of µs since 1970. */
const rfc3339 = (time: number): string => {
  const millis = Math.floor(time / 1000);
  if (millis > 253_402_300_799_999) return `${time} µs`;
  return `${new Date(millis).toISOString().slice(0, -1)}${String(time % 1000).padStart(3, '0')}Z`;
};
