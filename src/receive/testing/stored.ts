import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { decodeRecord, Flag, Framing, type DecodedRecord } from '#vault/record';

/** A delivery as a test reads it back from `intake/`; `raw` is its body. */
export type StoredDelivery = DecodedRecord & { file: string };

/** One line of a delivery, told apart by the rules of src/vault/intake/delivery.ts. */
export type StoredLine = { raw: Buffer; flags: number; sequence: number; meta: string };

/**
 * Reads `intake/` the plain way, apart from the product's own reader: the whole deliveries of each file, in order.
 * What follows the last whole one is counted in `torn`.
 */
export const readStored = (dir: string): { deliveries: StoredDelivery[]; torn: number; files: string[] } => {
  const files = readdirSync(dir)
    .filter((name) => name.endsWith('.intake'))
    .sort();
  const deliveries: StoredDelivery[] = [];
  let torn = 0;
  for (const file of files) {
    const bytes = readFileSync(join(dir, file));
    let at = 0;
    while (at + 16 <= bytes.length && bytes.readUInt32BE(at) === 0x48464431) {
      const end = at + 16 + bytes.readUInt32BE(at + 4) + bytes.readUInt32BE(at + 8);
      if (end > bytes.length || crc32(bytes.subarray(at + 16, end)) !== bytes.readUInt32BE(at + 12)) break;
      const record = Buffer.from(bytes.subarray(at + 16, end));
      record.writeUInt32BE(record.length - 4, 0);
      deliveries.push({ ...decodeRecord(record).record, file });
      at = end;
    }
    torn += bytes.length - at;
  }
  return { deliveries, torn, files };
};

export const linesOf = (
  delivery: Pick<StoredDelivery, 'raw' | 'flags' | 'framing' | 'sequence'> & { listener?: string },
): StoredLine[] => {
  const { raw: body, flags } = delivery;
  const line = (raw: Buffer): StoredLine => ({ raw, flags, sequence: 0, meta: '' });
  const lines: StoredLine[] = [];
  let at = 0;
  switch (delivery.framing) {
    case Framing.datagram:
    case Framing.body:
      return [line(body)];
    case Framing.journal:
      if ((flags & (Flag.part | Flag.torn)) !== 0) return [line(body)];
      return splitEntries(body).map(line);
    case Framing.nul:
    case Framing.newline:
      while (at < body.length) {
        const lf = body.indexOf(delivery.framing === Framing.nul ? 0 : 0x0a, at);
        // A whole body may end without it; a stream is cut at its last one.
        if (lf < 0 && (flags & (Flag.part | Flag.torn)) === 0 && !delivery.listener?.startsWith('http'))
          throw new Error('a newline delivery without its last LF');
        lines.push(line(body.subarray(at, lf < 0 ? body.length : lf)));
        at = lf < 0 ? body.length : lf + 1;
      }
      return lines;
    case Framing.datagrams:
      while (at < body.length) {
        const end = at + 2 + body.readUInt16BE(at);
        if (end > body.length) throw new Error(`datagrams that do not add up at byte ${at}`);
        lines.push(line(body.subarray(at + 2, end)));
        at = end;
      }
      return lines;
    case Framing.octetCounted:
      while (at < body.length) {
        const space = body.indexOf(0x20, at);
        const count = Number(body.toString('latin1', at, space));
        const end = space + 1 + count;
        if (!Number.isSafeInteger(count) || (end > body.length && (flags & Flag.torn) === 0)) {
          throw new Error(`an octet-counted delivery that does not add up at byte ${at}`);
        }
        lines.push(line(body.subarray(space + 1, end)));
        at = end;
      }
      return lines;
    case Framing.relp:
      while (at < body.length) {
        const header = /^\d{1,9} syslog (\d{1,9})(?: |(?=\n))/.exec(body.toString('latin1', at, at + 40));
        if (header === null) throw new Error(`a RELP delivery without a frame at byte ${at}`);
        const from = at + header[0].length;
        const end = from + Number(header[1]);
        if ((flags & Flag.torn) === 0 && body[end] !== 0x0a)
          throw new Error(`a RELP frame without its LF at byte ${end}`);
        lines.push(line(body.subarray(from, end)));
        at = end + 1;
      }
      return lines;
    case Framing.own:
      while (at < body.length) {
        const metaEnd = at + 10 + body.readUInt16BE(at + 8);
        const end = metaEnd + 4 + body.readUInt32BE(metaEnd);
        if (end > body.length) throw new Error(`an own delivery that does not add up at byte ${at}`);
        lines.push({
          raw: body.subarray(metaEnd + 4, end),
          flags,
          sequence: Number(body.readBigUInt64BE(at)),
          meta: body.toString('utf8', at + 10, metaEnd),
        });
        at = end;
      }
      return lines;
  }
};

/** Entries of systemd's export format, read as it is documented: each field by itself. */
const splitEntries = (body: Buffer): Buffer[] => {
  const entries: Buffer[] = [];
  let from = 0;
  let at = 0;
  while (at < body.length) {
    if (body[at] === 0x0a) {
      if (at > from) entries.push(body.subarray(from, at));
      at += 1;
      from = at;
      continue;
    }
    const end = body.indexOf(0x0a, at);
    if (end < 0) throw new Error(`a field without its end at byte ${at}`);
    at = body.subarray(at, end).includes(0x3d)
      ? end + 1
      : end + 1 + 8 + Number(body.readBigUInt64LE(end + 1)) + 1;
    if (at > body.length) throw new Error('a field that leaves its delivery');
  }
  if (at > from) entries.push(body.subarray(from, at));
  return entries;
};
