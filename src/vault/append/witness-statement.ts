import { maxNote } from '#vault/checkpoint';
import { newLines, senderNames, splitDelivery, type Delivery } from '#vault/intake';
import { decodeRecord, Framing } from '#vault/record';

/** What publisher or courier hand in of a witness's. Nothing of it has been checked. */
export type WitnessStatement = { kind: 'cosignature' | 'contradiction'; note: Buffer };

/** Statements have a note or two. */
const maxStatement = 4 * maxNote;
const senders = ['publisher', 'courier'];

/** The statements in a delivery. Cheap for what is none of publisher's or courier's. */
export const statementsIn = (delivery: Delivery): WitnessStatement[] => {
  const { framing, sender, body } = delivery;
  if (framing !== Framing.own || body.length > 64 * maxStatement) return [];
  if (!senders.includes(senderNames(sender).peer)) return [];
  return rawLines(delivery).flatMap((raw) => parseStatement(raw) ?? []);
};

const rawLines = (delivery: Delivery): Buffer[] => {
  const lines = newLines();
  const splitting = splitDelivery(delivery);
  const found: Buffer[] = [];
  while (!splitting.done()) {
    lines.used = 0;
    lines.count = 0;
    splitting.fill(lines);
    for (let i = 0; i < lines.count; i++)
      found.push(Buffer.from(decodeRecord(lines.bytes, lines.offsets[i]).record.raw));
  }
  return found;
};

const parseStatement = (raw: Buffer): WitnessStatement | null => {
  if (raw.length > maxStatement) return null;
  try {
    const body: unknown = JSON.parse(raw.toString('utf8'));
    if (typeof body !== 'object' || body === null || !('kind' in body) || !('note' in body)) return null;
    const { kind, note } = body;
    return (kind === 'cosignature' || kind === 'contradiction') && typeof note === 'string'
      ? { kind, note: Buffer.from(note) }
      : null;
  } catch {
    return null;
  }
};
