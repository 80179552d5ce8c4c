import type { Micros } from '#base/clock';
import { contentSize } from '../contents.ts';
import { toBytes, type ByteString } from '../parse/byte-string.ts';
import { Guessed, type Parsed } from '../parse/parsed.ts';
import { abridge, Implied } from './abridged.ts';
import { earliest, latest, type Decoded } from './decode.ts';
import { formOf } from './form.ts';
import { keySize } from './keys.ts';
import type { LinesBlock } from './native/block.ts';

/** Raised when the same bytes would be parsed into something else. Stands in every row. */
export const parserVersion = 7;

/** The columns of a row that tell how it came, and whether its sender numbers what it sends. */
export type SentBy = {
  source: ByteString;
  listener: ByteString;
  via: ByteString;
  stream: ByteString;
};

/** Bit of the table's `flags`, above the record's own eight and those of the parser. */
export const conflictingNumber = 1 << 12;
/** Bit of the table's `flags`: the host that the line claims is not who sent it (claimed-host.ts). */
export const claimedHostMismatch = 1 << 13;

/** Bit of the table's `flags`: the message has a `=`. Only then may `name=value` stand in it where no field was taken. */
export const equalsSign = 1 << 14;

/** Sees of each row that was written who sent it, and when. */
export type Witness = (
  time: Micros,
  host: ByteString,
  app: ByteString,
  by: SentBy,
  fields: readonly ByteString[],
) => void;

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

export type RecordPlace = { entry: number; line: number; committed: Micros };

const hasEqualsSign = (raw: ByteString, { message, messageStart, messageEnd }: Parsed): boolean => {
  if (message !== null) return message.includes('=');
  const at = raw.indexOf('=', messageStart);
  return at >= 0 && at < messageEnd;
};

const noFields: readonly ByteString[] = [];

/**
 * Where a row belongs, and where the bytes of its line begin; they are as many as `raw` has. `content` and `dedup` are
 * `''` where a line has none.
 */
export type RowPlace = RecordPlace & {
  part: number;
  content: ByteString;
  dedup: ByteString;
  bytes: Buffer;
  start: number;
};

export const writeRow = (
  { columns }: LinesBlock,
  place: RowPlace,
  { head, flags, received, sequence }: Decoded,
  raw: ByteString,
  parsed: Parsed,
  witness: Witness,
): void => {
  const claimed =
    parsed.claimed !== null && parsed.claimed >= earliest && parsed.claimed <= latest ? parsed.claimed : null;
  // What an imported file does not date was there when the file was last written.
  const dated = claimed ?? head.meta?.imported?.writtenBy ?? null;
  const time = believedTime(dated, received, parsed.guessed);
  const host = parsed.host !== '' ? parsed.host : (head.meta?.host ?? '');
  const { app, facility, severity, pid, messageStart, messageEnd } = parsed;
  // What was but taken for a host says nothing about who sent it.
  const mismatch = (parsed.guessed & Guessed.host) !== 0 ? '' : head.claims.mismatch(host);
  // A value-less pair cannot be: fields come in twos.
  const fields =
    mismatch !== ''
      ? [...parsed.fields, 'claimed_host_mismatch', mismatch]
      : parsed.fields.length > 0
        ? parsed.fields
        : noFields;
  columns.entry.int64(place.entry);
  columns.line.uint32(place.line);
  columns.part.uint32(place.part);
  columns.time.int64(time);
  columns.claimed_apart.int64(claimed === time ? null : claimed);
  columns.received.int64(received);
  columns.committed.int64(place.committed);
  columns.source.string(head.source);
  columns.listener.string(head.listener);
  columns.via.string(head.via);
  columns.pid.uint32(pid);
  columns.facility.uint8(facility);
  columns.severity.uint8(severity);
  columns.fields.map(fields);
  const impliedTime = claimed === time ? Implied.claimed : 0;
  if (parsed.message === null) {
    const { bytes, start } = place;
    columns.message.slice(bytes, start + messageStart, start + messageEnd);
    columns.form.uint8(formOf(bytes, start + messageStart, start + messageEnd));
    const told = { facility, severity, claimed, stamp: parsed.stamp, host, app, pid };
    columns.implied.uint16(abridge(raw, messageStart, told, columns.prefix) | impliedTime);
    columns.suffix.slice(bytes, start + messageEnd, start + raw.length);
    columns.whole.string('');
  } else {
    columns.message.string(parsed.message);
    columns.form.uint8(formOf(toBytes(parsed.message), 0, parsed.message.length));
    columns.implied.uint16(impliedTime);
    columns.prefix.string('');
    columns.suffix.string('');
    columns.whole.string(raw);
  }
  columns.flags.uint16(
    flags |
      parsed.guessed |
      (mismatch === '' ? 0 : claimedHostMismatch) |
      (hasEqualsSign(raw, parsed) ? equalsSign : 0),
  );
  columns.parser_version.uint8(parserVersion);
  columns.confidence.uint8(parsed.confidence);
  columns.tls_name.string(head.tlsName);
  columns.stream.string(head.stream);
  columns.sequence.int64(sequence);
  columns.content.fixed(place.content, contentSize);
  columns.dedup.fixed(place.dedup, keySize);
  witness(time, columns.host.string(host), columns.app.string(app), head, fields);
};
