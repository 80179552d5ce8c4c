import { scanBsd } from './bsd-time.ts';
import { asName, type ByteString } from './byte-string.ts';
import { mnemonicAt, scanCiscoHead } from './cisco.ts';
import { scanEpoch } from './epoch-time.ts';
import { isHostWord, isTagWord, scanTag, wordEnd, type Tag } from './host-and-tag.ts';
import { Guessed, none, plainText, type ParseContext, type Parsed } from './parsed.ts';
import { facilityNumber, scanPriority, severityNumber, type Priority } from './priority.ts';
import { parseRfc5424 } from './rfc5424.ts';
import { nearestPass, scanIso, type LocalTime, type Scanned } from './timestamp.ts';

/**
 * RFC 3164 and what is sent under its name (docs/formats/syslog.md has the table): with or without `<PRI>`; time in
 * any of `scanTime`'s forms, or none; host or none; `tag:`, `tag[pid]:`, Cisco's header. Also the format of syslog's own
 * files. `null` if the line has neither a priority nor a time.
 */
export const parseRfc3164 = (raw: ByteString, priority: Priority, context: ParseContext): Parsed | null =>
  parseHeader(raw, priority, context, 0);

/** A relay that did not understand a header puts its own before it; more than this many do not stand in one line. */
const mostRelays = 3;

const parseHeader = (
  raw: ByteString,
  priority: Priority,
  context: ParseContext,
  relays: number,
): Parsed | null => {
  const parsed = plainText(raw);
  parsed.facility = priority.facility;
  parsed.severity = priority.severity;
  const local = nearestPass(context.received, context.local);
  let at = skipSpace(raw, afterMark(raw, priority.end));
  const scanned = scanTime(raw, at, context, local);
  if (scanned === null) {
    if (priority.facility === none) return null;
    at = readCiscoHead(raw, at, parsed, context, local);
  } else {
    parsed.claimed = scanned.time;
    parsed.guessed = scanned.guessed;
    at = readHost(raw, skipSpace(raw, scanned.end), parsed);
    const relayed = relays < mostRelays ? parseRelayed(raw, at, parsed, context, relays) : null;
    if (relayed !== null) return relayed;
    if (parsed.host !== '') at = readCiscoHead(raw, at, parsed, context, local);
  }
  readMessage(raw, at, parsed, scanned?.kind ?? null);
  parsed.confidence =
    (parsed.claimed === null ? 30 : 60) +
    (parsed.facility === none ? 0 : 10) +
    (parsed.host === '' || (parsed.guessed & Guessed.host) !== 0 ? 0 : 10) +
    (parsed.app === '' ? 0 : 10);
  return parsed;
};

type Stamp = Scanned & { kind: 'meraki' | 'usual' };

const scanTime = (raw: ByteString, start: number, context: ParseContext, local: LocalTime): Stamp | null => {
  const first = raw.charCodeAt(start);
  // Cisco marks a clock that is not synchronised with `*` or `.`
  const marked = first === 42 || first === 46 ? 1 : 0;
  const scanned =
    scanBsd(raw, start + marked, context.received, local) ?? scanIso(raw, start + marked, local);
  if (scanned !== null) {
    const guessed = scanned.guessed | (marked === 1 ? Guessed.clock : 0);
    const after = raw.charCodeAt(scanned.end);
    if (after === 58) return { time: scanned.time, end: scanned.end + 1, guessed, kind: 'usual' };
    return after === 32 || after === 0 || after === 10 || after === 13 || scanned.end === raw.length
      ? { time: scanned.time, end: scanned.end, guessed, kind: 'usual' }
      : null;
  }
  if (!(first >= 49 && first <= 57)) return null;
  // Meraki: `1 1380664922.583851938 host type key=value …`, RFC 5424's version before a time that is not its
  const versioned = first === 49 && raw.charCodeAt(start + 1) === 32;
  const epoch = scanEpoch(raw, versioned ? start + 2 : start);
  return epoch === null
    ? null
    : { time: epoch.time, end: epoch.end, guessed: 0, kind: versioned ? 'meraki' : 'usual' };
};

const forwarded = 'Message forwarded from ';

/** @returns where the rest begins */
const readHost = (raw: ByteString, start: number, parsed: Parsed): number => {
  // AIX: `Message forwarded from HOST: tag: …`
  if (raw.startsWith(forwarded, start)) {
    const from = start + forwarded.length;
    const end = wordEnd(raw, from);
    if (raw.charCodeAt(end - 1) === 58 && end - 1 > from) {
      parsed.host = asName(raw.slice(from, end - 1));
      parsed.fields.push('forwarded', 'aix');
      return skipSpace(raw, end);
    }
  }
  if (raw.startsWith('last message repeated ', start)) return start;
  const end = wordEnd(raw, start);
  if (end === start || end >= raw.length) return start;
  if (end === start + 1 && raw.charCodeAt(start) === 45) return skipSpace(raw, end);
  // A first word that has the form of a tag is one: senders on the same host leave the host name out.
  if (isTagWord(raw, start, end) || !isHostWord(raw, start, end)) return start;
  const bracketed = raw.charCodeAt(start) === 91 ? 1 : 0;
  parsed.host = asName(raw.slice(start + bracketed, end - bracketed));
  const next = skipSpace(raw, end);
  return raw.startsWith(forwarded, next) ? readHost(raw, next, parsed) : next;
};

/** Cisco's header at `start`, where there is one. @returns where the rest begins */
const readCiscoHead = (
  raw: ByteString,
  start: number,
  parsed: Parsed,
  context: ParseContext,
  local: LocalTime,
): number => {
  if (!mayBeCisco(raw, start)) return start;
  const head = scanCiscoHead(raw, start, context, local);
  if (head === null) return start;
  parsed.fields.push(...head.fields);
  if (head.host !== '') parsed.host = asName(head.host);
  if (head.scanned !== null) {
    const unset = (head.scanned.guessed & Guessed.clock) !== 0;
    // A relay's clock is better than one that the device says was never set
    if (parsed.claimed === null || !unset) {
      parsed.claimed = head.scanned.time;
      parsed.guessed = head.scanned.guessed;
    }
  }
  return head.end;
};

/** Cheap to ask: begins as such a header can, and has a `%` where its message would begin. */
const mayBeCisco = (raw: ByteString, start: number): boolean => {
  const first = raw.charCodeAt(start);
  if (first === 37 || first === 42 || first === 46 || first === 58) return true;
  if (first >= 48 && first <= 57) return true;
  const percent = raw.indexOf('%', start);
  return percent >= 0 && percent - start < 200 && mnemonicAt(raw, percent) !== null;
};

/**
 * The line that a relay put its own header before: with a priority of its own, or with a time, a host and a tag. Its
 * own words count; the relay becomes a field. `null` where the rest is a message.
 */
const parseRelayed = (
  raw: ByteString,
  at: number,
  relay: Parsed,
  context: ParseContext,
  relays: number,
): Parsed | null => {
  const first = raw.charCodeAt(at);
  if (first !== 60 && !(first >= 49 && first <= 57) && !(first >= 65 && first <= 83)) return null;
  const inner = first === 60 ? scanPriority(raw, at) : null;
  if (first === 60 && inner === null) return null;
  const priority = inner ?? { facility: relay.facility, severity: relay.severity, end: at };
  if (inner === null && scanInnerTime(raw, at, context) === null) return null;
  const parsed =
    (inner === null ? null : parseRfc5424(raw, inner, context)) ??
    parseHeader(raw, priority, context, relays + 1);
  if (parsed === null || parsed.claimed === null || parsed.app === '') return null;
  // `2026-05-12 03:00:00 INFO: …` is how many a program begins its message
  if (inner === null && parsed.host === '' && parsed.pid === null) return null;
  if (parsed.host === '') parsed.host = relay.host;
  else if (relay.host !== '' && relay.host !== parsed.host) parsed.fields.push('relay', relay.host);
  return parsed;
};

const scanInnerTime = (raw: ByteString, at: number, context: ParseContext): Scanned | null =>
  scanBsd(raw, at, context.received, context.local) ?? scanIso(raw, at, context.local);

const solaris = /\[ID (\d{1,10}) ([a-z0-9]{1,12})\.([a-z]{1,12})\] ?/y;
const repeated = /(?:last )?message repeated (\d{1,10}) times?/y;
const merakiType = /([a-z_]{1,40}) /y;

/** Tag, then what stands at the beginning of the message. */
const readMessage = (raw: ByteString, start: number, parsed: Parsed, kind: Stamp['kind'] | null): void => {
  // ASA puts a lone colon after the host
  let at = raw.startsWith(': ', start) ? start + 2 : start;
  let tag = raw.charCodeAt(at) === 37 ? null : scanTag(raw, at);
  if (tag !== null) {
    const name = raw.slice(at, tag.nameEnd);
    at = tag.end;
    if (isHostNotTag(raw, name, tag, parsed)) {
      parsed.host = asName(name);
      tag = null;
    } else {
      parsed.app = asName(name);
      parsed.pid = tag.pid;
    }
  }
  // Whether something shows that the first word is a host
  let known = tag !== null || at > start;
  const mnemonic = mnemonicAt(raw, at);
  if (mnemonic !== null) {
    known = true;
    if (parsed.app === '') parsed.app = mnemonic.facility;
    if (parsed.severity === none) parsed.severity = mnemonic.severity;
    parsed.fields.push('facility', mnemonic.facility, 'mnemonic', mnemonic.mnemonic);
  } else if (kind === 'meraki') {
    merakiType.lastIndex = at;
    const type = tag === null ? merakiType.exec(raw)?.[1] : undefined;
    if (type !== undefined) {
      known = true;
      parsed.app = type;
      at += type.length + 1;
    }
  } else at = readSolaris(raw, at, parsed);
  const first = raw.charCodeAt(at);
  if (first === 108 || first === 109) {
    repeated.lastIndex = at;
    const times = repeated.exec(raw)?.[1];
    if (times !== undefined) {
      known = true;
      parsed.fields.push('repeated', times);
    }
  }
  if (parsed.host !== '' && !known) parsed.guessed |= Guessed.host;
  parsed.messageStart = afterMark(raw, at);
};

const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** A word with a colon that is an address, or that stands before Cisco's `%`. */
const isHostNotTag = (raw: ByteString, name: ByteString, tag: Tag, parsed: Parsed): boolean =>
  parsed.host === '' && tag.pid === null && (mnemonicAt(raw, tag.end) !== null || ipv4.test(name));

/** Solaris: `[ID 702911 auth.error] text`. @returns where the rest begins */
const readSolaris = (raw: ByteString, at: number, parsed: Parsed): number => {
  if (!raw.startsWith('[ID ', at)) return at;
  solaris.lastIndex = at;
  const [, id, facility = '', severity = ''] = solaris.exec(raw) ?? [];
  if (id === undefined) return at;
  parsed.fields.push('msgid', id);
  if (parsed.facility === none) {
    parsed.facility = facilityNumber(facility) ?? none;
    parsed.severity = severityNumber(severity) ?? none;
  }
  return solaris.lastIndex;
};

const skipSpace = (raw: ByteString, at: number): number => {
  let position = at;
  while (raw.charCodeAt(position) === 32) position += 1;
  return position;
};

/** Past a UTF-8 byte order mark. */
const afterMark = (raw: ByteString, at: number): number =>
  raw.charCodeAt(at) === 0xef && raw.startsWith('\u00ef\u00bb\u00bf', at) ? at + 3 : at;
