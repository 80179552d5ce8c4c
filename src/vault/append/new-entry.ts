import type { Micros } from '#base/clock';
import {
  segmentPath,
  type BatchEntry,
  type Entry,
  type ExpireEntry,
  type HoldEntry,
  type RedactEntry,
  type ReleaseEntry,
  type StoredSegment,
} from '#vault/tree';
import { VaultError } from '../errors.ts';
import { vkeyText, type Signer } from './keys.ts';

type Common = { committed: Micros; prev: Entry['prev'] };

/** What is to become an outer entry; the commit adds when, and after which checkpoint. */
export type NewEntry =
  | { kind: 'batch'; entry: Omit<BatchEntry, 'kind' | keyof Common>; stored: Buffer }
  | { kind: 'restart'; reason: string }
  | { kind: 'heartbeat' }
  /** Replaces the signing key with a new one, which signs the checkpoint of this commit too. */
  | { kind: 'key'; reason: string }
  | { kind: 'expire'; entry: Omit<ExpireEntry, 'kind' | keyof Common> }
  | { kind: 'hold'; entry: Omit<HoldEntry, 'kind' | keyof Common> }
  | { kind: 'release'; entry: Omit<ReleaseEntry, 'kind' | keyof Common> }
  /** `stored`: the next revision of the target's segment. */
  | { kind: 'redact'; entry: Omit<RedactEntry, 'kind' | keyof Common>; stored: Buffer };

/** @param next the key that a key entry of this commit names */
export const outerEntry = (entry: NewEntry, common: Common, next: Signer | null): Entry => {
  switch (entry.kind) {
    case 'batch':
      return { kind: 'batch', ...entry.entry, ...common };
    case 'restart':
      return { kind: 'restart', reason: entry.reason, ...common };
    case 'heartbeat':
      return { kind: 'heartbeat', ...common };
    case 'key':
      if (next === null) throw new VaultError('bad-key', 'a key entry without a next key');
      return { kind: 'key', key: vkeyText(next), reason: entry.reason, ...common };
    case 'expire':
      return { kind: 'expire', ...entry.entry, ...common };
    case 'hold':
      return { kind: 'hold', ...entry.entry, ...common };
    case 'release':
      return { kind: 'release', ...entry.entry, ...common };
    case 'redact':
      return { kind: 'redact', ...entry.entry, ...common };
  }
};

/** A file of segments that is written before the commit of the entry that names it. */
export type NewSegment = {
  /** Relative to the vault. */
  path: string;
  stored: Buffer;
  named: StoredSegment;
};

/** @param first index that the first of the entries will have */
export const newSegments = (entries: readonly NewEntry[], first: number): NewSegment[] =>
  entries.flatMap((entry, i) => {
    if (entry.kind !== 'batch' && entry.kind !== 'redact') return [];
    const path =
      entry.kind === 'batch' ? segmentPath(first + i) : segmentPath(entry.entry.target.entry, first + i);
    return [{ path, stored: entry.stored, named: entry.entry.segment }];
  });
