import { hash } from 'node:crypto';
import { micros, type Micros } from '#base/clock';
import { contentSize } from '../contents.ts';
import { readBody } from '../parse/bodies/body.ts';
import { Budget } from '../parse/bodies/budget.ts';
import type { Part } from '../parse/bodies/part.ts';
import { fromBytes, type ByteString } from '../parse/byte-string.ts';
import { parseLine } from '../parse/parse.ts';
import { Guessed, type ParseContext } from '../parse/parsed.ts';
import type { LocalTime } from '../parse/timestamp.ts';
import { hangsOnOthers, hasNumber, isRedacted, type BatchRecords } from './batch-records.ts';
import { decode, withinColumn, type Decoded } from './decode.ts';
import { cursorKey, isPackedJournal, keyOf } from './keys.ts';
import { LineTexts } from './line-texts.ts';
import type { LinesBlock } from './native/block.ts';
import { conflictingNumber, writeRow, type RecordPlace, type Witness } from './row.ts';

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

export type Projected = {
  rows: number;
  /** Newest receive time among all lines that were looked at, written or not. */
  received: Micros;
  /** What was not looked at, as `only` says. */
  left: { lines: number; bytes: number };
};

export type ProjectOptions = {
  local: LocalTime;
  admit: Admit;
  admitKey: AdmitKey;
  witness: Witness;
  /** `plain`: lines that hang on nothing that came before; `hanging`: those that may. Default: all. */
  only?: 'plain' | 'hanging';
};

/** A millisecond's worth. */
const linesPerTurn = 512;

/**
 * Writes one row per line of a batch, and one for each line of a body; the manifest and what came again are left out.
 * Searches are served by this thread too, so they get their turn in between.
 */
export const projectBatch = async (
  block: LinesBlock,
  entry: number,
  batch: BatchRecords,
  options: ProjectOptions,
): Promise<Projected> => {
  const { records, offsets } = batch;
  const committed = withinColumn(batch.committed);
  const projected: Projected = { rows: 0, received: micros(0), left: { lines: 0, bytes: 0 } };
  const budget = new Budget();
  const texts = new LineTexts(records);
  for (let line = 1; line < offsets.length - 1; line += 1) {
    if (line % linesPerTurn === 0) await new Promise(setImmediate);
    if (isRedacted(batch, line)) continue;
    const start = offsets[line] ?? 0;
    const end = offsets[line + 1] ?? records.length;
    if (options.only !== undefined && (options.only === 'hanging') !== hangsOnOthers(records, start)) {
      projected.left.lines += 1;
      projected.left.bytes += end - start;
      continue;
    }
    const decoded = decode(records, start, end);
    if (decoded.received > projected.received) projected.received = decoded.received;
    // Who numbers its lines says of each what it is: what it calls a body is a line of its own all the same.
    const { meta, stream } = decoded.head;
    if (meta?.body !== undefined && !isNumbered(decoded)) {
      projected.rows += projectBody(block, { entry, line, committed }, decoded, budget, options);
      continue;
    }
    const content = isNumbered(decoded) ? contentOf(decoded) : '';
    const standing = isNumbered(decoded) ? options.admit(stream, decoded.sequence, content) : 'new';
    if (standing === 'again') continue;
    const raw = texts.slice(decoded.start, decoded.end);
    const context: ParseContext = { received: decoded.received, local: options.local };
    const parsed = parseLine(raw, meta, context);
    if (meta?.imported !== undefined)
      parsed.fields = [...parsed.fields, 'position', String(decoded.sequence)];
    if (standing === 'conflict') {
      parsed.fields = [...parsed.fields, 'conflicting_number', String(decoded.sequence)];
      parsed.guessed |= conflictingNumber;
    }
    writeRow(
      block,
      { entry, line, part: 0, committed, content, dedup: '', bytes: records, start: decoded.start },
      decoded,
      raw,
      parsed,
      options.witness,
    );
    projected.rows += 1;
  }
  return projected;
};

/** @returns how many rows were written */
const projectBody = (
  block: LinesBlock,
  place: RecordPlace,
  record: Decoded,
  budget: Budget,
  options: ProjectOptions,
): number => {
  const { head, raw: whole } = record;
  const key = keyOf(record);
  const content = key === '' ? '' : contentUnderKey(whole);
  const standing = key === '' ? 'new' : options.admitKey(key, content);
  if (standing === 'again') return 0;
  const isPacked = isPackedJournal(record);
  let [rows, part] = [0, 0];
  for (const { bytes, raw, parsed } of partsOf(record, whole, budget, options.local)) {
    part += 1;
    const own = isPacked ? ownStanding(bytes, raw, options) : { key, content, standing };
    if (own.standing === 'again') continue;
    if (own.standing === 'conflict') {
      parsed.fields = [...parsed.fields, 'conflicting_key', 'true'];
      parsed.guessed |= conflictingNumber;
    }
    if (parsed.host === '' && head.meta?.host === '') {
      parsed.host = head.tlsName === '' ? head.source : head.tlsName;
      parsed.guessed |= Guessed.host;
    }
    writeRow(
      block,
      { ...place, part: bytes === whole ? 0 : part, content: own.content, dedup: own.key, bytes, start: 0 },
      record,
      raw,
      parsed,
      options.witness,
    );
    rows += 1;
  }
  return rows;
};

const partsOf = (
  { head, received }: Decoded,
  bytes: Buffer,
  budget: Budget,
  local: LocalTime,
): Iterable<Part> => {
  const context: ParseContext = { received, local };
  const body = head.meta?.body;
  if (body !== undefined && !(body.format === 'journal' && body.encoding === 'identity'))
    return readBody(bytes, body, context, budget);
  const raw = fromBytes(bytes);
  return [{ bytes, raw, parsed: parseLine(raw, head.meta, context) }];
};

/** Of an entry in a compressed journal, which as a whole has no key. */
const ownStanding = (
  bytes: Buffer,
  raw: ByteString,
  { admitKey }: ProjectOptions,
): { key: ByteString; content: ByteString; standing: ReturnType<Admit> } => {
  const key = cursorKey(raw);
  if (key === '') return { key, content: '', standing: 'new' };
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
    const { stream } = decoded.head;
    if (!isNumbered(decoded) || !known(stream, decoded.sequence)) continue;
    const numbers = again.get(stream);
    if (numbers === undefined) again.set(stream, [decoded.sequence]);
    else numbers.push(decoded.sequence);
  }
  return again;
};

const isNumbered = ({ head, sequence }: Decoded): boolean => head.stream !== '' && sequence > 0;

/**
 * A shorter hash would let somebody who takes another's number find a line that passes for the other's. A file that is
 * imported again may have another name by then.
 */
const contentOf = (record: Decoded): ByteString =>
  shortHash(record.head.meta?.imported === undefined ? record.content : record.raw);

/** What came with it may differ: it may come by another way. So may the empty line after an entry of a journal. */
const contentUnderKey = (bytes: Buffer): ByteString => {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0x0a) end -= 1;
  return shortHash(bytes.subarray(0, end));
};

const shortHash = (bytes: Buffer): ByteString =>
  hash('sha256', bytes, 'buffer').toString('latin1', 0, contentSize);
