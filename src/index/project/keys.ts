import { hash } from 'node:crypto';
import { Flag, Framing } from '#vault/record';
import { fromBytes, type ByteString } from '../parse/byte-string.ts';
import { Budget } from '../parse/bodies/budget.ts';
import { cursorOf } from '../parse/bodies/journal-entries.ts';
import { packedEntries } from '../parse/bodies/body.ts';
import { decode, type Decoded } from './decode.ts';
import { isRedacted, type BatchRecords } from './batch-records.ts';

/** Bytes of a key in the table; of a line that has none they are zero. */
export const keySize = 16;

/**
 * What tells whether a record came before, where its sender does not number: the cursor of a journal's entry, or the
 * Idempotency-Key that a sender gave its request. Hashed, as strangers choose how long they are. `''` where there is
 * none; a piece of a body is no body.
 */
export const keyOf = ({ head, flags, raw }: Decoded): ByteString => {
  const { tlsName, source } = head;
  const body = head.meta?.body;
  if (body === undefined || (flags & (Flag.part | Flag.torn)) !== 0) return '';
  if (body.format === 'journal') return body.encoding === 'identity' ? cursorKey(fromBytes(raw)) : '';
  return body.key === ''
    ? ''
    : hashed('key', `${tlsName === '' ? `address ${source}` : `name ${tlsName}`} ${body.key}`);
};

/** Of an entry of a journal, `''` if it has no cursor. A cursor names one entry of one journal, whoever brings it. */
export const cursorKey = (entry: ByteString): ByteString => {
  const cursor = cursorOf(entry);
  return cursor === '' ? '' : hashed('cursor', cursor);
};

/** A compressed journal is one record of many entries. */
export const isPackedJournal = ({ head: { meta } }: Decoded): boolean =>
  meta?.body?.format === 'journal' && meta.body.encoding !== 'identity';

const hashed = (kind: string, text: string): ByteString =>
  hash('sha256', `${kind} ${text}`, 'buffer').toString('latin1', 0, keySize);

/** Keys of a batch's records. Only bodies and journals have any, so nothing else is looked at. */
export const keysIn = (batch: BatchRecords): Set<ByteString> => {
  const { records, offsets } = batch;
  const keys = new Set<ByteString>();
  const budget = new Budget();
  for (let line = 1; line < offsets.length - 1; line += 1) {
    const start = offsets[line] ?? 0;
    const framing = records[start + 6];
    if ((framing !== Framing.body && framing !== Framing.journal) || isRedacted(batch, line)) continue;
    const decoded = decode(records, start, offsets[line + 1] ?? records.length);
    keys.add(keyOf(decoded));
    const body = decoded.head.meta?.body;
    if (body === undefined || !isPackedJournal(decoded)) continue;
    for (const entry of packedEntries(decoded.raw, body, budget)) keys.add(cursorKey(entry));
  }
  keys.delete('');
  return keys;
};
