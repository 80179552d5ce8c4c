import { hash } from 'node:crypto';
import { micros, type Micros } from '#base/clock';
import { readBody } from '../parse/bodies/body.ts';
import { Budget } from '../parse/bodies/budget.ts';
import type { Part } from '../parse/bodies/part.ts';
import { fromBytes, type ByteString } from '../parse/byte-string.ts';
import { parseLine } from '../parse/parse.ts';
import { Guessed, type ParseContext, type Parsed } from '../parse/parsed.ts';
import type { LocalTime } from '../parse/timestamp.ts';
import { abridge, Implied, type Abridged } from './abridged.ts';
import { isRedacted, type BatchRecords } from './batch-records.ts';
import { decode, earliest, hasNumber, latest, withinColumn, type Decoded } from './decode.ts';
import { cursorKey, isPackedJournal, keyOf, noKey } from './keys.ts';
import type { LinesBlock } from './native/block.ts';

/** Raised when the same bytes would be parsed into something else. Stands in every row. */
export const parserVersion = 6;

/** The columns of a row that tell who sent it, when, and whether its sender numbers what it sends. */
export type RowHead = {
  time: Micros;
  host: ByteString;
  app: ByteString;
  source: ByteString;
  listener: ByteString;
  via: ByteString;
  stream: ByteString;
};

/**
 * Whether a line is there already. Asked once per line of a sender that numbers, in the vault's order.
 *
 * - `again`: the same line came under this number before
 * - `conflict`: another line came under it, so one of the two is not what the stream's owner sent under it
 */
export type Admit = (
  stream: ByteString,
  sequence: number,
  content: ByteString,
) => 'new' | 'again' | 'conflict';

/** As `Admit`, of what a sender without numbers gives a key: a request, or an entry of a journal. */
export type AdmitKey = (key: ByteString, content: ByteString) => ReturnType<Admit>;

/** Bit of the table's `flags`, above the record's own eight and those of the parser. */
export const conflictingNumber = 1 << 12;
/** Bit of the table's `flags`: the host that the line claims is not who sent it (claimed-host.ts). */
export const claimedHostMismatch = 1 << 13;

/** Sees each row that was written. */
export type Witness = (row: RowHead) => void;

const day = 86_400_000_000;
const longestPast = 3653 * day;

/**
 * The time that search sorts by: the claimed one where it can be believed (ten years back to a day ahead of the
 * receive time; a day back where the sender says that its clock is not set), else the receive time.
 */
export const believedTime = (claimed: Micros | null, received: Micros, guessed: number): Micros => {
  const past = (guessed & Guessed.clock) === 0 ? longestPast : day;
  return claimed !== null && claimed >= received - past && claimed <= received + day ? claimed : received;
};

export type Projected = {
  rows: number;
  /** Newest receive time among all lines of the batch, written or not. */
  received: Micros;
};

export type ProjectOptions = { local: LocalTime; admit: Admit; admitKey: AdmitKey; witness: Witness };

/**
 * Writes one row per line of a batch, and one for each line of a body; the manifest and what came again are left out.
 */
export const projectBatch = (
  block: LinesBlock,
  entry: number,
  batch: BatchRecords,
  options: ProjectOptions,
): Projected => {
  const { records, offsets } = batch;
  const committed = withinColumn(batch.committed);
  const projected: Projected = { rows: 0, received: micros(0) };
  const budget = new Budget();
  // Of the whole batch: lines are slices of it, so that none has memory of its own.
  let text: ByteString | null = null;
  for (let line = 1; line < offsets.length - 1; line += 1) {
    if (isRedacted(batch, line)) continue;
    const end = offsets[line + 1] ?? records.length;
    const decoded = decode(records, offsets[line] ?? 0, end);
    if (decoded.received > projected.received) projected.received = decoded.received;
    // Who numbers its lines says of each what it is: what it calls a body is a line of its own all the same.
    if (decoded.meta?.body !== undefined && !isNumbered(decoded)) {
      projected.rows += projectBody(block, { entry, line, committed }, decoded, budget, options);
      continue;
    }
    const content = isNumbered(decoded) ? contentOf(decoded) : noContent;
    const standing = isNumbered(decoded) ? options.admit(decoded.stream, decoded.sequence, content) : 'new';
    if (standing === 'again') continue;
    text ??= fromBytes(records);
    const raw = text.slice(end - decoded.raw.length, end);
    const context: ParseContext = { received: decoded.received, local: options.local };
    const parsed = parseLine(raw, decoded.meta, context);
    if (decoded.meta?.imported !== undefined)
      parsed.fields = [...parsed.fields, 'position', String(decoded.sequence)];
    if (standing === 'conflict') {
      parsed.fields = [...parsed.fields, 'conflicting_number', String(decoded.sequence)];
      parsed.guessed |= conflictingNumber;
    }
    writeRow(
      block,
      { entry, line, part: 0, committed, content, dedup: noKey },
      decoded,
      raw,
      parsed,
      options.witness,
    );
    projected.rows += 1;
  }
  return projected;
};

type RecordPlace = { entry: number; line: number; committed: Micros };

/** @returns how many rows were written */
const projectBody = (
  block: LinesBlock,
  place: RecordPlace,
  record: Decoded,
  budget: Budget,
  options: ProjectOptions,
): number => {
  const key = keyOf(record);
  const content = key === '' ? noContent : contentUnderKey(record.raw);
  const standing = key === '' ? 'new' : options.admitKey(key, content);
  if (standing === 'again') return 0;
  const isPacked = isPackedJournal(record);
  let [rows, part] = [0, 0];
  for (const { bytes, raw, parsed } of partsOf(record, budget, options.local)) {
    part += 1;
    const own = isPacked ? ownStanding(bytes, raw, options) : { key, content, standing };
    if (own.standing === 'again') continue;
    if (own.standing === 'conflict') {
      parsed.fields = [...parsed.fields, 'conflicting_key', 'true'];
      parsed.guessed |= conflictingNumber;
    }
    if (parsed.host === '' && record.meta?.host === '') {
      parsed.host = record.tlsName === '' ? record.source : record.tlsName;
      parsed.guessed |= Guessed.host;
    }
    const dedup = own.key === '' ? noKey : own.key;
    const isRecord = bytes === record.raw;
    writeRow(
      block,
      { ...place, part: isRecord ? 0 : part, content: own.content, dedup },
      isRecord ? record : { ...record, raw: bytes },
      raw,
      parsed,
      options.witness,
    );
    rows += 1;
  }
  return rows;
};

const partsOf = (record: Decoded, budget: Budget, local: LocalTime): Iterable<Part> => {
  const context: ParseContext = { received: record.received, local };
  const body = record.meta?.body;
  if (body !== undefined && !(body.format === 'journal' && body.encoding === 'identity'))
    return readBody(record.raw, body, context, budget);
  const raw = fromBytes(record.raw);
  return [{ bytes: record.raw, raw, parsed: parseLine(raw, record.meta, context) }];
};

/** Of an entry in a compressed journal, which as a whole has no key. */
const ownStanding = (
  bytes: Buffer,
  raw: ByteString,
  { admitKey }: ProjectOptions,
): { key: ByteString; content: ByteString; standing: ReturnType<Admit> } => {
  const key = cursorKey(raw);
  if (key === '') return { key, content: noContent, standing: 'new' };
  const content = contentUnderKey(bytes);
  return { key, content, standing: admitKey(key, content) };
};

/** Numbers of the batch's lines that `known` says came before. */
export const numbersAgain = (
  batch: BatchRecords,
  known: (stream: ByteString, sequence: number) => boolean,
): Map<ByteString, number[]> => {
  const { records, offsets } = batch;
  const again = new Map<ByteString, number[]>();
  for (let line = 1; line < offsets.length - 1; line += 1) {
    if (isRedacted(batch, line)) continue;
    const start = offsets[line] ?? 0;
    if (!hasNumber(records, start)) continue;
    const decoded = decode(records, start, offsets[line + 1] ?? records.length);
    if (!isNumbered(decoded) || !known(decoded.stream, decoded.sequence)) continue;
    const numbers = again.get(decoded.stream);
    if (numbers === undefined) again.set(decoded.stream, [decoded.sequence]);
    else numbers.push(decoded.sequence);
  }
  return again;
};

const isNumbered = ({ stream, sequence }: Decoded): boolean => stream !== '' && sequence > 0;

const noContent: ByteString = '\u0000'.repeat(8);

/**
 * A shorter hash would let somebody who takes another's number find a line that passes for the other's. A file that is
 * imported again may have another name by then.
 */
const contentOf = ({ content, meta, raw }: Decoded): ByteString =>
  shortHash(meta?.imported === undefined ? content : raw);

/** What came with it may differ: it may come by another way. So may the empty line after an entry of a journal. */
const contentUnderKey = (bytes: Buffer): ByteString => {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0x0a) end -= 1;
  return shortHash(bytes.subarray(0, end));
};

const shortHash = (bytes: Buffer): ByteString =>
  hash('sha256', bytes, 'buffer').toString('latin1', 0, noContent.length);

const nothingBefore: Abridged = { prefix: '', implied: 0 };
const noFields: readonly ByteString[] = [];

const writeRow = (
  block: LinesBlock,
  place: RecordPlace & { part: number; content: ByteString; dedup: ByteString },
  head: Decoded,
  raw: ByteString,
  parsed: Parsed,
  witness: Witness,
): void => {
  const claimed =
    parsed.claimed !== null && parsed.claimed >= earliest && parsed.claimed <= latest ? parsed.claimed : null;
  // What an imported file does not date was there when the file was last written.
  const dated = claimed ?? head.meta?.imported?.writtenBy ?? null;
  const time = believedTime(dated, head.received, parsed.guessed);
  const host = parsed.host !== '' ? parsed.host : (head.meta?.host ?? '');
  const app = parsed.app;
  // What was but taken for a host says nothing about who sent it.
  const mismatch = (parsed.guessed & Guessed.host) !== 0 ? '' : head.claims.mismatch(host);
  // A value-less pair cannot be: fields come in twos.
  const fields =
    mismatch !== ''
      ? [...parsed.fields, 'claimed_host_mismatch', mismatch]
      : parsed.fields.length > 0
        ? parsed.fields
        : noFields;
  const { columns } = block;
  columns.entry.int64(place.entry);
  columns.line.uint32(place.line);
  columns.part.uint32(place.part);
  columns.time.int64(time);
  columns.claimed_apart.int64(claimed === time ? null : claimed);
  columns.received.int64(head.received);
  columns.committed.int64(place.committed);
  columns.host.string(host);
  columns.app.string(app);
  columns.source.string(head.source);
  columns.listener.string(head.listener);
  columns.via.string(head.via);
  columns.pid.uint32(parsed.pid);
  columns.facility.uint8(parsed.facility);
  columns.severity.uint8(parsed.severity);
  const slice = parsed.message === null;
  if (slice) columns.message.slice(head.raw, parsed.messageStart, parsed.messageEnd);
  else columns.message.string(parsed.message ?? '');
  columns.fields.map(fields);
  const { facility, severity, pid } = parsed;
  const abridged = slice
    ? abridge(raw, parsed.messageStart, { facility, severity, claimed, host, app, pid })
    : nothingBefore;
  columns.prefix.string(abridged.prefix);
  columns.suffix.slice(head.raw, slice ? parsed.messageEnd : raw.length, raw.length);
  columns.whole.slice(head.raw, 0, slice ? 0 : raw.length);
  columns.implied.uint16(abridged.implied | (claimed === time ? Implied.claimed : 0));
  columns.flags.uint16(head.flags | parsed.guessed | (mismatch === '' ? 0 : claimedHostMismatch));
  columns.parser_version.uint8(parserVersion);
  columns.confidence.uint8(parsed.confidence);
  columns.tls_name.string(head.tlsName);
  columns.stream.string(head.stream);
  columns.sequence.int64(head.sequence);
  columns.content.fixed(place.content);
  columns.dedup.fixed(place.dedup);
  witness({
    time,
    host,
    app,
    source: head.source,
    listener: head.listener,
    via: head.via,
    stream: head.stream,
  });
};
