import type {
  Amendment,
  BatchEntry,
  Entry,
  EntryRange,
  ExpireEntry,
  RedactEntry,
  ReleaseEntry,
} from '#vault/tree';
import { newCoverage } from './coverage.ts';
import type { Amended } from './scan.ts';

/** What amendments say of one batch. */
export type BatchRules = {
  /** The entry under which its segment may be gone. */
  expiry: number | null;
  /** The newest redaction, and every line that a redaction names. */
  redaction: { index: number; segment: RedactEntry['segment']; lines: readonly number[] } | null;
};

export type Rules = {
  of(batch: number, className: string): BatchRules;
  /** Whether a redact entry at `index` names this batch. */
  isRedaction(batch: number, index: number): boolean;
};

/** What the amendments of a log say of its batches. Whether they are allowed to is `newAmendmentCheck`'s business. */
export const rulesOf = (amendments: readonly Amended[]): Rules => {
  const coverage = newCoverage(amendments);
  const redactions = new Map<number, { index: number; segment: RedactEntry['segment']; line: number }[]>();
  for (const { index, entry } of amendments) {
    if (entry.kind !== 'redact' || entry.target.entry >= index) continue;
    const { segment, target } = entry;
    const known = redactions.get(target.entry);
    const redaction = { index, segment, line: target.line };
    if (known === undefined) redactions.set(target.entry, [redaction]);
    else known.push(redaction);
  }
  return {
    of(batch, className) {
      const all = redactions.get(batch) ?? [];
      const newest = all.at(-1);
      return {
        expiry: coverage.of(batch, className),
        redaction:
          newest === undefined
            ? null
            : {
                index: newest.index,
                segment: newest.segment,
                lines: [...new Set(all.map(({ line }) => line))].sort((a, b) => a - b),
              },
      };
    },
    isRedaction: (batch, index) => redactions.get(batch)?.some((one) => one.index === index) ?? false,
  };
};

/** What each entry of the log is, as far as amendments ask: a few bytes for each. */
export type Kinds = {
  note(index: number, entry: Entry | null): void;
  /** A batch's class; `other` for another entry; `lost` for one that no file has; `null` for one that did not come yet. */
  at(index: number): { class: string } | 'other' | 'lost' | null;
  /** The first batch of a class from `first` to `end` − 1; `null` where there is none. */
  findBatch(first: number, end: number, className: string): number | null;
};

const lostKind = 1;
const otherKind = 2;
const firstClass = 3;
const mostClasses = 60_000;

export const newKinds = (): Kinds => {
  let kinds = new Uint16Array(1024);
  const ids = new Map<string, number>();
  const names: string[] = [];
  const idOf = (name: string): number => {
    const known = ids.get(name);
    if (known !== undefined) return known;
    // So many classes are nobody's: the last one stands for the rest.
    if (names.length >= mostClasses) return firstClass + mostClasses - 1;
    names.push(name);
    ids.set(name, firstClass + names.length - 1);
    return firstClass + names.length - 1;
  };
  return {
    note(index, entry) {
      if (index >= kinds.length) {
        const wider = new Uint16Array(Math.max(index + 1, kinds.length * 2));
        wider.set(kinds);
        kinds = wider;
      }
      kinds[index] = entry === null ? lostKind : entry.kind === 'batch' ? idOf(entry.class) : otherKind;
    },
    at(index) {
      const kind = kinds[index] ?? 0;
      if (kind === 0) return null;
      if (kind === lostKind) return 'lost';
      return kind === otherKind ? 'other' : { class: names[kind - firstClass] ?? '' };
    },
    findBatch(first, end, className) {
      const id = ids.get(className);
      const found = id === undefined ? -1 : kinds.subarray(first, end).indexOf(id);
      return found < 0 ? null : first + found;
    },
  };
};

export type AmendmentCheck = {
  /** Takes the amendments of the log in order, after every entry before them. @returns what is wrong with it */
  take(index: number, entry: Amendment): string | null;
};

/**
 * Whether amendments do only what they may: nothing expires or is redacted under a hold; no line is redacted twice, nor
 * out of a batch that has expired, nor a manifest; nothing names an entry that comes later.
 */
export const newAmendmentCheck = (kinds: Kinds, rules: Rules): AmendmentCheck => {
  const holds = new Map<number, EntryRange>();
  const released = new Set<number>();
  const redacted = new Set<string>();

  const holdOn = (batch: number): number | null => {
    for (const [index, { first, end }] of holds) if (batch >= first && batch < end) return index;
    return null;
  };

  const expire = (index: number, { entries, class: name }: ExpireEntry): string | null => {
    if (entries.end > index) return `it expires entries up to ${entries.end - 1}, which come after it`;
    for (const [hold, range] of holds) {
      const first = Math.max(entries.first, range.first);
      const end = Math.min(entries.end, range.end);
      const held = first < end ? kinds.findBatch(first, end, name) : null;
      if (held !== null) return `it expires entry ${held}, which is under hold ${hold}`;
    }
    return null;
  };

  const redact = (index: number, { target: { entry: batch, line } }: RedactEntry): string | null => {
    if (batch >= index) return `it redacts a line of entry ${batch}, which comes after it`;
    if (line === 0) return `it redacts line 0 of entry ${batch}, the manifest`;
    const key = `${batch}:${line}`;
    if (redacted.has(key)) return `it redacts line ${key}, which was redacted before`;
    redacted.add(key);
    const kind = kinds.at(batch);
    if (kind === 'other') return `it redacts a line of entry ${batch}, which is no batch`;
    if (kind === null || kind === 'lost') return null;
    const hold = holdOn(batch);
    if (hold !== null) return `it redacts a line of entry ${batch}, which is under hold ${hold}`;
    const expiry = rules.of(batch, kind.class).expiry;
    return expiry !== null && expiry < index
      ? `it redacts a line of entry ${batch}, which has expired under entry ${expiry}`
      : null;
  };

  const release = ({ hold }: ReleaseEntry): string | null => {
    if (holds.delete(hold)) {
      released.add(hold);
      return null;
    }
    return released.has(hold)
      ? `it releases hold ${hold}, which was released before`
      : `it releases entry ${hold}, which is no hold`;
  };

  return {
    take(index, entry) {
      switch (entry.kind) {
        case 'expire':
          return expire(index, entry);
        case 'hold':
          holds.set(index, entry.entries);
          return entry.entries.end > index
            ? `it holds entries up to ${entry.entries.end - 1}, which come after it`
            : null;
        case 'release':
          return release(entry);
        case 'redact':
          return redact(index, entry);
        case 'key':
          return null;
      }
    },
  };
};

/** Lines that redact entries name and the batch does not have. */
export const linesBeyond = ({ redaction }: BatchRules, { lines }: BatchEntry): number[] =>
  (redaction?.lines ?? []).filter((line) => line >= lines);
