import { hostname } from 'node:os';
import type { Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import type { LineMeta } from '#wire/own';

/** One line on its way: where it was found, and its exact bytes. */
export type Line = { meta: LineMeta; raw: Uint8Array };

/** What a process says of its own work: JSON with a `kind` and the time. */
export const selfLine = (clock: Clock, kind: string, fields: Record<string, unknown>): Line => ({
  meta: { via: 'self', host: hostname() },
  raw: Buffer.from(JSON.stringify({ kind, time: formatMicros(clock.now()), ...fields })),
});

/** New positions in the sources, by source; `null` forgets one. Each value is JSON and its source's own business. */
export type CursorChanges = Record<string, unknown>;

/** The longest raw that goes out as one line. Twice the limit of most senders, and what the receiver takes. */
export const lineLimit = 16 * 1024 * 1024;

/**
 * A line longer than `limit` as several, in order, each marked in its meta with `part` (from 0), the last also with
 * `lastPart: true`. Nothing is cut off; joining the parts gives the line.
 */
export const inParts = (line: Line, limit = lineLimit): Line[] => {
  if (line.raw.length <= limit) return [line];
  const parts: Line[] = [];
  for (let at = 0; at < line.raw.length; at += limit) {
    const lastPart = at + limit >= line.raw.length;
    const meta = { ...line.meta, part: parts.length, ...(lastPart ? { lastPart } : {}) };
    parts.push({ meta, raw: line.raw.subarray(at, at + limit) });
  }
  return parts;
};
