import { decodeRecord, Framing } from '#vault/record';
import type { Segment } from '#vault/tree';
import { manifestOf } from './segment.ts';

/** Numbers of one stream that came one after another. */
export type Run = {
  stream: string;
  first: number;
  last: number;
  /** Receive times of the first and the last, µs. */
  from: number;
  until: number;
};

/** A loss that a receiver, an agent or the keeper has put into words. */
export type Loss = {
  sender: string;
  cause: string;
  count: number | null;
  /** RFC 3339, as they were said; `null` where they were not. */
  since: string | null;
  until: string | null;
  /** µs: when the line was received. */
  received: number;
};

/** What one batch shows of who sent what. */
export type SenderSummary = {
  runs: Run[];
  losses: Loss[];
  moreLosses: number;
  /** Senders that do not number: listener and peer, the peer's port left out. */
  unnumbered: string[];
  /** Intake that was no delivery, by the manifest. */
  lostIntake: { pieces: number; bytes: number };
};

const mostLosses = 1000;
const mostSenders = 5000;
/** Own lines of this length at most can be a loss line. */
const maxLossLine = 64 * 1024;

const framingAt = 6;
const receivedAt = 8;
const sequenceAt = 16;
const namesAt = 24;

/** Of a batch that was checked. */
export const summariseSenders = (segment: Segment): SenderSummary => {
  const { records, offsets, lineCount, redacted } = segment;
  const open = new Map<string, Run>();
  const runs: Run[] = [];
  const summary: SenderSummary = {
    runs,
    losses: [],
    moreLosses: 0,
    unnumbered: [],
    lostIntake: { pieces: 0, bytes: 0 },
  };
  let lastStart = -1;
  let lastStream = '';
  for (let line = 1; line < lineCount; line++) {
    if (redacted.size > 0 && redacted.has(line)) continue;
    const start = offsets[line] ?? 0;
    if (records[start + framingAt] === Framing.own) addLoss(summary, records, start, offsets[line + 1] ?? 0);
    const sequence = wordAt(records, start + sequenceAt);
    if (sequence === 0) continue;
    const received = wordAt(records, start + receivedAt);
    // Neighbours are mostly of one sender: its names are read once.
    if (lastStart < 0 || !hasSameNames(records, lastStart, start)) lastStream = streamAt(records, start);
    lastStart = start;
    const run = open.get(lastStream);
    if (run !== undefined && sequence === run.last + 1) {
      run.last = sequence;
      run.until = received;
      continue;
    }
    const next = { stream: lastStream, first: sequence, last: sequence, from: received, until: received };
    open.set(lastStream, next);
    runs.push(next);
  }
  readManifest(summary, records);
  return summary;
};

const wordAt = (records: Buffer, at: number): number =>
  records.readUInt32BE(at) * 0x1_0000_0000 + records.readUInt32BE(at + 4);

const namesEnd = (records: Buffer, start: number): number => {
  let at = start + namesAt;
  for (let field = 0; field < 4; field++) at += 1 + (records[at] ?? 0);
  return at;
};

const hasSameNames = (records: Buffer, one: number, other: number): boolean => {
  const end = namesEnd(records, one);
  for (let at = one + namesAt, to = other + namesAt; at < end; at++, to++)
    if (records[at] !== records[to]) return false;
  return true;
};

const streamAt = (records: Buffer, start: number): string => {
  let at = start + namesAt;
  for (let field = 0; field < 3; field++) at += 1 + (records[at] ?? 0);
  return records.toString('latin1', at + 1, at + 1 + (records[at] ?? 0));
};

const addLoss = (summary: SenderSummary, records: Buffer, start: number, end: number): void => {
  if (end - start > maxLossLine) return;
  const text = records.toString('latin1', start, end);
  if (!text.includes('"kind":"loss"') || !text.includes('"via":"self"')) return;
  const { record } = decodeRecord(records, start);
  const body = fieldsOf(record.raw.toString('utf8'));
  if (body.get('kind') !== 'loss' || fieldsOf(record.meta).get('via') !== 'self') return;
  if (summary.losses.length >= mostLosses) {
    summary.moreLosses += 1;
    return;
  }
  const count = body.get('count');
  summary.losses.push({
    sender: textOf(body.get('listener')) ?? textOf(body.get('via')) ?? record.peer,
    cause: textOf(body.get('cause')) ?? 'not said',
    count: typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : null,
    since: textOf(body.get('since')),
    until: textOf(body.get('until')),
    received: record.received,
  });
};

const fieldsOf = (text: string): ReadonlyMap<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
};

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, 200) : null;

const readManifest = (summary: SenderSummary, records: Buffer): void => {
  const manifest = manifestOf(records);
  const senders: unknown = manifest?.get('senders');
  const names = new Set<string>();
  for (const sender of Array.isArray(senders) ? senders : []) {
    const fields = new Map<string, unknown>(
      typeof sender === 'object' && sender !== null ? Object.entries(sender) : [],
    );
    if (fields.get('firstSequence') !== 0 || names.size >= mostSenders) continue;
    const peer = (textOf(fields.get('peer')) ?? '?').replace(/:\d{1,5}$/, '');
    names.add(`${peer} by ${textOf(fields.get('listener')) ?? '?'}`);
  }
  const others = numberIn(manifest?.get('others'), 'senders');
  if (others > 0) names.add('senders that a manifest does not name one by one');
  summary.unnumbered = [...names];
  const lost = manifest?.get('lost');
  summary.lostIntake = { pieces: numberIn(lost, 'pieces'), bytes: numberIn(lost, 'bytes') };
};

const numberIn = (value: unknown, name: string): number => {
  const number: unknown =
    typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : 0;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : 0;
};
