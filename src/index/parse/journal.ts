import { micros, type Micros } from '#base/clock';
import { asName, type ByteString } from './byte-string.ts';
import { none, plainText, type Parsed } from './parsed.ts';
import { asPid } from './rfc5424.ts';

/** A field's place in the entry. */
type Place = { start: number; end: number };

const longestValue = 4096;

/**
 * One entry in the Journal Export Format: lines `NAME=value`, or `NAME`, LF, 64-bit little-endian length, bytes, LF for
 * values that are not plain text (https://systemd.io/JOURNAL_EXPORT_FORMATS/). A field may come more than once; the
 * first counts for the columns, all go to the fields. What cannot be read from some point on is left in the raw bytes.
 */
export const parseJournal = (raw: ByteString): Parsed => {
  const places = new Map<string, Place>();
  const fields: ByteString[] = [];
  const whole = scanEntry(raw, (name, place) => {
    if (!places.has(name)) places.set(name, place);
    if (!name.startsWith('__') && name !== 'MESSAGE' && place.end - place.start <= longestValue)
      fields.push(asName(name), raw.slice(place.start, place.end));
  });
  const message = places.get('MESSAGE');
  const value = (name: string): ByteString => {
    const place = places.get(name);
    return place === undefined ? '' : raw.slice(place.start, place.end);
  };
  const severity = digit(value('PRIORITY'), 7);
  const facility = digit(value('SYSLOG_FACILITY'), 23);
  return {
    ...plainText(raw),
    claimed: asTime(value('_SOURCE_REALTIME_TIMESTAMP')) ?? asTime(value('__REALTIME_TIMESTAMP')),
    host: asName(value('_HOSTNAME')),
    app: asName(
      value('SYSLOG_IDENTIFIER') || value('_COMM') || (value('_TRANSPORT') === 'kernel' ? 'kernel' : ''),
    ),
    pid: asPid(value('_PID') || value('SYSLOG_PID')),
    facility,
    severity,
    ...(message === undefined ? {} : { messageStart: message.start, messageEnd: message.end }),
    fields,
    confidence: whole && message !== undefined ? 100 : places.size > 0 ? 50 : 0,
  };
};

/** @returns whether the entry could be read to its end */
export const scanEntry = (raw: ByteString, found: (name: string, place: Place) => void): boolean => {
  let at = 0;
  while (at < raw.length) {
    const lineFeed = raw.indexOf('\n', at);
    const lineEnd = lineFeed < 0 ? raw.length : lineFeed;
    if (lineEnd === at) {
      at += 1;
      continue;
    }
    const equals = raw.indexOf('=', at);
    if (equals >= 0 && equals < lineEnd) {
      found(raw.slice(at, equals), { start: equals + 1, end: lineEnd });
      at = lineEnd + 1;
      continue;
    }
    const start = lineEnd + 9;
    if (start > raw.length) return false;
    const length = littleEndian(raw, lineEnd + 1);
    if (start + length > raw.length) return false;
    found(raw.slice(at, lineEnd), { start, end: start + length });
    at = start + length + 1;
  }
  return true;
};

const littleEndian = (raw: ByteString, at: number): number => {
  let value = 0;
  for (let i = 7; i >= 0; i -= 1) value = value * 256 + raw.charCodeAt(at + i);
  return value;
};

const digit = (text: ByteString, highest: number): number =>
  /^\d{1,2}$/.test(text) && Number(text) <= highest ? Number(text) : none;

const asTime = (text: ByteString): Micros | null =>
  /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? micros(Number(text)) : null;
