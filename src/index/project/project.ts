import { hash } from 'node:crypto';
import { micros, type Micros } from '#base/clock';
import { fromBytes, type ByteString } from '../parse/byte-string.ts';
import { parseLine } from '../parse/parse.ts';
import { Guessed, type ParseContext, type Parsed } from '../parse/parsed.ts';
import type { LocalTime } from '../parse/timestamp.ts';
import { decode, earliest, hasNumber, latest, withinColumn, type Decoded } from './decode.ts';
import type { RowBinaryWriter } from './row-binary.ts';

/** Raised when the same bytes would be parsed into something else. Stands in every row. */
export const parserVersion = 3;

/** Lines of the vault, as `#vault/read` gives them. */
export type BatchRecords = {
  committed: Micros;
  /** Records back to back; the first is the manifest. */
  records: Buffer;
  /** Where each record begins, and where the last one ends. One that was redacted has no bytes. */
  offsets: Uint32Array;
};

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

/** Writes one row per line of a batch; the manifest and lines that came again are left out. */
export const projectBatch = (
  writer: RowBinaryWriter,
  entry: number,
  batch: BatchRecords,
  options: { local: LocalTime; admit: Admit; witness: Witness },
): Projected => {
  const { records, offsets } = batch;
  const committed = withinColumn(batch.committed);
  const projected: Projected = { rows: 0, received: micros(0) };
  for (let line = 1; line < offsets.length - 1; line += 1) {
    if (isRedacted(batch, line)) continue;
    const decoded = decode(records, offsets[line] ?? 0, offsets[line + 1] ?? records.length);
    if (decoded.received > projected.received) projected.received = decoded.received;
    const content = isNumbered(decoded) ? contentOf(decoded) : noContent;
    const standing = isNumbered(decoded) ? options.admit(decoded.stream, decoded.sequence, content) : 'new';
    if (standing === 'again') continue;
    const raw = fromBytes(decoded.raw);
    const context: ParseContext = { received: decoded.received, local: options.local };
    const parsed = parseLine(raw, decoded.meta, context);
    if (standing === 'conflict') {
      parsed.fields = [...parsed.fields, 'conflicting_number', String(decoded.sequence)];
      parsed.guessed |= conflictingNumber;
    }
    writeRow(writer, { entry, line, committed, content }, decoded, raw, parsed, options.witness);
    projected.rows += 1;
  }
  return projected;
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

/** A record has its length word at least; of one that was taken out nothing is left. */
const isRedacted = ({ offsets }: BatchRecords, line: number): boolean => offsets[line] === offsets[line + 1];

const isNumbered = ({ stream, sequence }: Decoded): boolean => stream !== '' && sequence > 0;

const noContent: ByteString = '\u0000'.repeat(8);

/** A shorter hash would let somebody who takes another's number find a line that passes for the other's. */
const contentOf = ({ content }: Decoded): ByteString =>
  hash('sha256', content, 'buffer').toString('latin1', 0, noContent.length);

const noFields: readonly ByteString[] = [];

const writeRow = (
  writer: RowBinaryWriter,
  place: { entry: number; line: number; committed: Micros; content: ByteString },
  head: Decoded,
  raw: ByteString,
  parsed: Parsed,
  witness: Witness,
): void => {
  const claimed =
    parsed.claimed !== null && parsed.claimed >= earliest && parsed.claimed <= latest ? parsed.claimed : null;
  const time = believedTime(claimed, head.received, parsed.guessed);
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
  let fieldBytes = 0;
  for (const field of fields) fieldBytes += field.length + 5;
  writer.reserve(
    512 +
      host.length +
      app.length +
      head.source.length +
      head.listener.length +
      raw.length * 2 +
      (parsed.message?.length ?? 0) +
      fieldBytes,
  );

  writer.int64(place.entry);
  writer.uint32(place.line);
  writer.uint32(0);
  writer.int64(time);
  if (claimed === null) writer.uint8(1);
  else {
    writer.uint8(0);
    writer.int64(claimed);
  }
  writer.int64(head.received);
  writer.int64(place.committed);
  writer.string(host);
  writer.string(app);
  writer.string(head.source);
  writer.string(head.listener);
  writer.string(head.via);
  if (parsed.pid === null) writer.uint8(1);
  else {
    writer.uint8(0);
    writer.uint32(parsed.pid);
  }
  writer.uint8(parsed.facility);
  writer.uint8(parsed.severity);
  const slice = parsed.message === null;
  if (slice) writer.slice(head.raw, parsed.messageStart, parsed.messageEnd);
  else writer.string(parsed.message ?? '');
  writer.varint(fields.length >>> 1);
  for (const field of fields) writer.string(field);
  writer.slice(head.raw, 0, slice ? parsed.messageStart : 0);
  writer.slice(head.raw, slice ? parsed.messageEnd : raw.length, raw.length);
  writer.slice(head.raw, 0, slice ? 0 : raw.length);
  writer.uint16(head.flags | parsed.guessed | (mismatch === '' ? 0 : claimedHostMismatch));
  writer.uint8(parserVersion);
  writer.uint8(parsed.confidence);
  writer.string(head.tlsName);
  writer.string(head.stream);
  writer.int64(head.sequence);
  writer.fixed(place.content);
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
