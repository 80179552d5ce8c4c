import { micros, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { fromBytes, type ByteString } from '../parse/byte-string.ts';
import { parseLine, type Meta } from '../parse/parse.ts';
import type { Parsed } from '../parse/parsed.ts';
import { utc } from '../parse/timestamp.ts';

export const at = (text: string): Micros => micros(Date.parse(text) * 1000);
export const received = at('2026-05-12T03:00:00Z');

/** What a parser saw, in a form that tests can write down. */
export type Seen = {
  claimed: string | null;
  host: string;
  app: string;
  pid: number | null;
  facility: number;
  severity: number;
  message: string;
  /** Values of one that comes more than once are joined by LF, as in a hit. */
  fields: Record<string, string>;
  confidence: number;
  guessed: number;
};

const seen = (raw: ByteString, parsed: Parsed): Seen => {
  const fields = new Map<string, string>();
  for (let i = 0; i < parsed.fields.length; i += 2) {
    const name = parsed.fields[i] ?? '';
    const before = fields.get(name);
    const value = parsed.fields[i + 1] ?? '';
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return {
    claimed: parsed.claimed === null ? null : formatMicros(parsed.claimed),
    host: parsed.host,
    app: parsed.app,
    pid: parsed.pid,
    facility: parsed.facility,
    severity: parsed.severity,
    message: parsed.message ?? raw.slice(parsed.messageStart, parsed.messageEnd),
    fields: Object.fromEntries(fields),
    confidence: parsed.confidence,
    guessed: parsed.guessed,
  };
};

export const parse = (text: string | Buffer, meta: Meta | null = null, when = received): Seen => {
  const raw = fromBytes(Buffer.from(text));
  return seen(raw, parseLine(raw, meta, { received: when, local: utc }));
};

export const seenPart = (line: Seen, keys: readonly (keyof Seen)[]): Partial<Seen> =>
  Object.fromEntries(keys.map((key) => [key, line[key]]));
