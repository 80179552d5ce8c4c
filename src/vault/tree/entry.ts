import { micros, type Micros } from '#base/clock';
import { formatMicros, parseRfc3339 } from '#base/rfc3339';
import { parseDecimal, parseHash } from './decimal.ts';
import { maxEntry } from './bundle.ts';
import { VaultFormatError } from './format-error.ts';

/**
 * An entry of the outer log: UTF-8 lines, each `word SP value LF`, in this order. The first line is the kind, so that
 * an inner root can never pass for an entry. Hashes are lower-case hexadecimal, times RFC 3339 UTC with six decimals.
 *
 *     holdfast.batch/v1                     holdfast.restart/v1          holdfast.heartbeat/v1
 *     class <retention class>               reason <word>                committed <time>
 *     root <inner root>                     committed <time>             prev <size> <sha256>
 *     lines <n, manifest included>          prev <size> <sha256>
 *     earliest <time>
 *     latest <time>
 *     segment <sha256> <length>
 *     committed <time>
 *     prev <size> <sha256>
 */
export type Entry = BatchEntry | RestartEntry | HeartbeatEntry;

/** What every entry says: when it was made, and which checkpoint (its size, SHA-256 of its bytes) came before it. */
type Common = { committed: Micros; prev: { size: number; sha256: Buffer } };

export type BatchEntry = Common & {
  kind: 'batch';
  /** Retention class, `[a-z0-9-]{1,32}`. */
  class: string;
  root: Buffer;
  lines: number;
  /** Receive times of the batch's lines, the manifest left out unless it is alone. */
  earliest: Micros;
  latest: Micros;
  /** The stored (compressed) segment. */
  segment: { sha256: Buffer; length: number };
};

/** The keeper began: `created` (first of all), `start`, or `recovered` (a commit was completed after a crash). */
export type RestartEntry = Common & { kind: 'restart'; reason: string };

/** Nothing to commit for a minute. */
export type HeartbeatEntry = Common & { kind: 'heartbeat' };

const word = /^[a-z0-9-]{1,32}$/;

export const encodeEntry = (entry: Entry): Buffer => {
  const lines: string[] = [`holdfast.${entry.kind}/v1`];
  if (entry.kind === 'batch') {
    lines.push(
      `class ${entry.class}`,
      `root ${entry.root.toString('hex')}`,
      `lines ${entry.lines}`,
      `earliest ${formatMicros(entry.earliest)}`,
      `latest ${formatMicros(entry.latest)}`,
      `segment ${entry.segment.sha256.toString('hex')} ${entry.segment.length}`,
    );
  }
  if (entry.kind === 'restart') lines.push(`reason ${entry.reason}`);
  lines.push(
    `committed ${formatMicros(entry.committed)}`,
    `prev ${entry.prev.size} ${entry.prev.sha256.toString('hex')}`,
  );
  return Buffer.from(`${lines.join('\n')}\n`);
};

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
    const committed = field('committed', time);
    const prev = field('prev', numberAndHash);
    return { committed, prev: { size: prev.number, sha256: prev.hash } };
  };
  switch (lines[0]) {
    case 'holdfast.batch/v1': {
      const own = {
        class: field('class', parseWord),
        root: field('root', parseHash),
        lines: field('lines', parseDecimal),
        earliest: field('earliest', time),
        latest: field('latest', time),
      };
      const segment = field('segment', hashAndNumber);
      return {
        kind: 'batch',
        ...own,
        segment: { sha256: segment.hash, length: segment.number },
        ...common(),
      };
    }
    case 'holdfast.restart/v1':
      return { kind: 'restart', reason: field('reason', parseWord), ...common() };
    case 'holdfast.heartbeat/v1':
      return { kind: 'heartbeat', ...common() };
    default:
      throw new VaultFormatError(`outer entry of a kind that this version does not know`);
  }
};

const time = (value: string): Micros | null => {
  const parsed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(value) ? parseRfc3339(value) : null;
  return parsed === null ? null : micros(parsed);
};

const parseWord = (value: string): string | null => (word.test(value) ? value : null);

type NumberAndHash = { number: number; hash: Buffer };

const numberAndHash = (value: string): NumberAndHash | null => {
  const [numberText = '', hashText = '', ...rest] = value.split(' ');
  const number = parseDecimal(numberText);
  const hash = parseHash(hashText);
  return number === null || hash === null || rest.length > 0 ? null : { number, hash };
};

const hashAndNumber = (value: string): NumberAndHash | null =>
  numberAndHash(value.split(' ').toReversed().join(' '));
