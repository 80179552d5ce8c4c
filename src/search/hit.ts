import { micros, type Micros } from '#base/clock';
import { printable } from '#base/printable';
import { formatMicros } from '#base/rfc3339';
import {
  claimedOf,
  facilityNames,
  Guessed,
  restored,
  RowBinaryReader,
  severityNames,
  type Abridged,
} from '#index';
import { lineAddress } from '#vault/record';
import { possibleRedelivery } from './possible-redelivery.ts';
import { guessNames, type Guess, type Hit } from '#wire/search';

/** What `readHits` needs, in its order. */
export const hitColumns = `entry, line, part, time, claimed_apart, received, committed, host, app, source, via, pid,
  facility, severity, message, fields, whole, prefix, suffix, implied, flags, parser_version, confidence`;

/** Rows of `hitColumns` in RowBinary. Text is made printable; `raw` is exact. */
export const readHits = (rows: Buffer): Hit[] => {
  const reader = new RowBinaryReader(rows);
  const hits: Hit[] = [];
  while (!reader.done) hits.push(readHit(reader));
  return hits;
};

const readHit = (reader: RowBinaryReader): Hit => {
  const entry = reader.int64();
  const line = reader.uint32();
  const part = reader.uint32();
  const time = readTime(reader);
  const claimedApart = reader.uint8() === 1 ? null : readTime(reader);
  const received = readTime(reader);
  const committed = readTime(reader);
  const host = reader.bytes();
  const app = reader.bytes();
  const source = reader.text();
  const via = reader.text();
  const pid = reader.uint8() === 1 ? null : reader.uint32();
  const facility = reader.uint8();
  const severity = reader.uint8();
  const message = reader.bytes();
  const fields = readFields(reader);
  const whole = reader.bytes();
  const prefix = reader.bytes();
  const suffix = reader.bytes();
  const implied = reader.uint16();
  const flags = reader.uint16();
  // Not what the line says of itself: that is in its message.
  delete fields[possibleRedelivery.field];
  if ((flags & possibleRedelivery.bit) !== 0) fields[possibleRedelivery.field] = 'true';
  const parser = reader.uint8();
  const confidence = reader.uint8();
  const stored: Abridged = {
    whole,
    prefix,
    message,
    suffix,
    implied,
    time,
    claimedApart,
    host,
    app,
    pid,
    facility,
    severity,
  };
  const claimed = claimedOf(stored);
  return {
    address: part === 0 ? lineAddress(entry, line) : `${lineAddress(entry, line)}/${part}`,
    claimed: claimed === null ? null : formatMicros(claimed),
    received: formatMicros(received),
    committed: formatMicros(committed),
    time: formatMicros(time),
    host: host.length === 0 ? null : host.toString('utf8'),
    source,
    app: app.length === 0 ? null : app.toString('utf8'),
    pid,
    facility: facilityNames[facility] ?? null,
    severity: severityNames[severity] ?? null,
    message: printable(message),
    fields,
    guessed: guessedOf(flags),
    confidence,
    parser,
    via,
    raw: restored(stored).toString('base64'),
  };
};

const guessedOf = (flags: number): Guess[] => guessNames.filter((name) => (flags & Guessed[name]) !== 0);

const readTime = (reader: RowBinaryReader): Micros => micros(reader.int64());

/** A field that comes more than once keeps all its values, one per line. */
const readFields = (reader: RowBinaryReader): Record<string, string> => {
  const fields = new Map<string, string>();
  for (let left = reader.varint(); left > 0; left -= 1) {
    const name = reader.text();
    const value = printable(reader.bytes());
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return Object.fromEntries(fields);
};
