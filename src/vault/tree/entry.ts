import type { Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { maxEntry } from './bundle.ts';
import { parseDecimal, parseHash } from './decimal.ts';
import {
  parseHashAndNumber,
  parseNumberAndHash,
  parseText,
  parseTime,
  parseTwoNumbers,
  parseWord,
} from './entry-field.ts';
import { VaultFormatError } from './format-error.ts';

/**
 * An entry of the outer log: UTF-8 lines, each `word SP value LF`, in the order of docs/formats/vault.md. The first
 * line is the kind, so that an inner root can never pass for an entry. Hashes are lower-case hexadecimal, times
 * RFC 3339 UTC with six decimals, texts printable ASCII.
 */
export type Entry = BatchEntry | RestartEntry | HeartbeatEntry | Amendment;

/** What every entry says: when it was made, and which checkpoint (its size, SHA-256 of its bytes) came before it. */
type Common = { committed: Micros; prev: { size: number; sha256: Buffer } };

/** A stored (compressed) segment. */
export type StoredSegment = { sha256: Buffer; length: number };

/** Outer entries `first` to `end` − 1. */
export type EntryRange = { first: number; end: number };

export type BatchEntry = Common & {
  kind: 'batch';
  /** Retention class, `[a-z0-9-]{1,32}`. */
  class: string;
  root: Buffer;
  lines: number;
  /** Receive times of the batch's lines, the manifest left out unless it is alone. */
  earliest: Micros;
  latest: Micros;
  segment: StoredSegment;
};

/**
 * The keeper began: `created` (first of all), `start`, `recovered` (a commit was completed after a crash), or
 * `unwitnessed` (no witness said in time what it remembers).
 */
export type RestartEntry = Common & { kind: 'restart'; reason: string };

/** Nothing to commit for a minute. */
export type HeartbeatEntry = Common & { kind: 'heartbeat' };

/** The segments of batches of one class in a range may be gone. */
export type ExpireEntry = Common & {
  kind: 'expire';
  entries: EntryRange;
  class: string;
  /** `[a-z0-9-]{1,32}`, e.g. `older-than-400d` */
  policy: string;
  /** Who approved. */
  by: string;
};

/** Legal hold: nothing in the range may expire. */
export type HoldEntry = Common & { kind: 'hold'; entries: EntryRange; reason: string; by: string };

/** Ends a hold. */
export type ReleaseEntry = Common & {
  kind: 'release';
  /** Index of the hold entry. */
  hold: number;
  reason: string;
  by: string;
};

/** One line was taken out of a batch: only its leaf hash is left. */
export type RedactEntry = Common & {
  kind: 'redact';
  target: { entry: number; line: number };
  /** The new revision of the batch's stored segment. */
  segment: StoredSegment;
  reason: string;
  by: string;
};

/** The signing key was replaced. */
export type KeyEntry = Common & {
  kind: 'key';
  /** Text of the new verification key. */
  key: string;
  reason: string;
};

/** Entries that change how others, or the log itself, are to be read. `vault/amendments` lists them. */
export type Amendment = ExpireEntry | HoldEntry | ReleaseEntry | RedactEntry | KeyEntry;

export const isAmendment = (entry: Entry): entry is Amendment =>
  entry.kind !== 'batch' && entry.kind !== 'restart' && entry.kind !== 'heartbeat';

export const encodeEntry = (entry: Entry): Buffer => {
  const lines = [
    `holdfast.${entry.kind}/v1`,
    ...ownLines(entry),
    `committed ${formatMicros(entry.committed)}`,
    `prev ${entry.prev.size} ${entry.prev.sha256.toString('hex')}`,
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
};

const ownLines = (entry: Entry): string[] => {
  switch (entry.kind) {
    case 'batch':
      return [
        `class ${entry.class}`,
        `root ${entry.root.toString('hex')}`,
        `lines ${entry.lines}`,
        `earliest ${formatMicros(entry.earliest)}`,
        `latest ${formatMicros(entry.latest)}`,
        segmentLine(entry.segment),
      ];
    case 'restart':
      return [`reason ${entry.reason}`];
    case 'heartbeat':
      return [];
    case 'expire':
      return [rangeLine(entry.entries), `class ${entry.class}`, `policy ${entry.policy}`, `by ${entry.by}`];
    case 'hold':
      return [rangeLine(entry.entries), `reason ${entry.reason}`, `by ${entry.by}`];
    case 'release':
      return [`hold ${entry.hold}`, `reason ${entry.reason}`, `by ${entry.by}`];
    case 'redact':
      return [
        `target ${entry.target.entry} ${entry.target.line}`,
        segmentLine(entry.segment),
        `reason ${entry.reason}`,
        `by ${entry.by}`,
      ];
    case 'key':
      return [`key ${entry.key}`, `reason ${entry.reason}`];
  }
};

const segmentLine = ({ sha256, length }: StoredSegment): string =>
  `segment ${sha256.toString('hex')} ${length}`;

const rangeLine = ({ first, end }: EntryRange): string => `entries ${first} ${end}`;

/** @throws VaultFormatError for anything that `encodeEntry` would not have written */
export const parseEntry = (bytes: Buffer): Entry => {
  if (bytes.length > maxEntry) throw new VaultFormatError('outer entry is too long');
  const entry = readEntry(bytes.toString('latin1').split('\n'));
  if (!encodeEntry(entry).equals(bytes))
    throw new VaultFormatError('outer entry is not in its one canonical form');
  return entry;
};

const readEntry = (lines: readonly string[]): Entry => {
  let at = 1;
  const field = <T>(name: string, parse: (value: string) => T | null): T => {
    const line = lines[at] ?? '';
    at += 1;
    const value = line.startsWith(`${name} `) ? parse(line.slice(name.length + 1)) : null;
    if (value === null) throw new VaultFormatError(`outer entry: bad "${name}" in its line ${at}`);
    return value;
  };
  const common = (): Common => {
    const committed = field('committed', parseTime);
    const prev = field('prev', parseNumberAndHash);
    return { committed, prev: { size: prev.number, sha256: prev.hash } };
  };
  const segment = (): StoredSegment => {
    const { hash, number } = field('segment', parseHashAndNumber);
    return { sha256: hash, length: number };
  };
  const range = (): EntryRange => {
    const [first, end] = field('entries', parseTwoNumbers);
    if (end <= first) throw new VaultFormatError('outer entry: names an empty range of entries');
    return { first, end };
  };
  // Fields are read in the order in which they stand here, which is that of the lines.
  switch (lines[0]) {
    case 'holdfast.batch/v1':
      return {
        kind: 'batch',
        class: field('class', parseWord),
        root: field('root', parseHash),
        lines: field('lines', parseDecimal),
        earliest: field('earliest', parseTime),
        latest: field('latest', parseTime),
        segment: segment(),
        ...common(),
      };
    case 'holdfast.restart/v1':
      return { kind: 'restart', reason: field('reason', parseWord), ...common() };
    case 'holdfast.heartbeat/v1':
      return { kind: 'heartbeat', ...common() };
    case 'holdfast.expire/v1':
      return {
        kind: 'expire',
        entries: range(),
        class: field('class', parseWord),
        policy: field('policy', parseWord),
        by: field('by', parseText),
        ...common(),
      };
    case 'holdfast.hold/v1':
      return {
        kind: 'hold',
        entries: range(),
        reason: field('reason', parseText),
        by: field('by', parseText),
        ...common(),
      };
    case 'holdfast.release/v1':
      return {
        kind: 'release',
        hold: field('hold', parseDecimal),
        reason: field('reason', parseText),
        by: field('by', parseText),
        ...common(),
      };
    case 'holdfast.redact/v1': {
      const [entry, line] = field('target', parseTwoNumbers);
      return {
        kind: 'redact',
        target: { entry, line },
        segment: segment(),
        reason: field('reason', parseText),
        by: field('by', parseText),
        ...common(),
      };
    }
    case 'holdfast.key/v1':
      return {
        kind: 'key',
        key: field('key', parseKey),
        reason: field('reason', parseText),
        ...common(),
      };
    default:
      throw new VaultFormatError(`outer entry of a kind that this version does not know`);
  }
};

/** The form alone; whether it is a key is for whoever uses it to find out. */
const parseKey = (value: string): string | null => (/^[\x21-\x7e]{1,400}$/.test(value) ? value : null);
