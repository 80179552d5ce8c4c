import { micros, type Micros } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { Implied, marks } from './abridged.ts';

/** What is stored of a line: columns of `lines`, strings as bytes. */
export type Abridged = {
  whole: Buffer;
  prefix: Buffer;
  message: Buffer;
  suffix: Buffer;
  implied: number;
  time: Micros;
  claimedApart: Micros | null;
  host: Buffer;
  app: Buffer;
  pid: number | null;
  facility: number;
  severity: number;
};

/** The claimed time, `null` if the line has none: the table's own `claimed`. */
export const claimedOf = ({ implied, time, claimedApart }: Abridged): Micros | null =>
  (implied & Implied.claimed) === 0 ? claimedApart : time;

/**
 * The exact bytes of a line: the table's own `raw`, which costs the engine some milliseconds to plan for each statement
 * that asks for it, however few lines it finds.
 */
export const restored = (row: Abridged): Buffer =>
  row.whole.length > 0 ? row.whole : Buffer.concat([...prefixOf(row), row.message, row.suffix]);

/** Marks stand in the order of their numbers, each once. */
const prefixOf = (row: Abridged): Buffer[] => {
  const { prefix, implied } = row;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const [name, text] of texts) {
    if ((implied & Implied[name]) === 0) continue;
    const at = prefix.indexOf(marks[name], from);
    if (at < 0) continue;
    pieces.push(prefix.subarray(from, at), text(row, prefix.toString('latin1', at + 1, at + 7)));
    from = at + 1;
  }
  return [...pieces, prefix.subarray(from)];
};

/** @param behind the six bytes behind the mark */
type Text = (row: Abridged, behind: string) => Buffer;

const texts: readonly (readonly [keyof typeof marks, Text])[] = [
  ['priority', ({ facility, severity }) => Buffer.from(String(facility * 8 + severity))],
  ['time', (row, behind) => Buffer.from(timeText(row, behind))],
  ['host', ({ host }) => host],
  ['app', ({ app }) => app],
  ['pid', ({ pid }) => Buffer.from(String(pid ?? 0))],
];

const minuteMicros = 60_000_000;

/** In the zone of the offset that stands behind it, UTC where there is none. */
const timeText = (row: Abridged, behind: string): string => {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)/.exec(behind) ?? [];
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1);
  const digits = Math.floor(row.implied / Implied.fraction);
  const local = micros((claimedOf(row) ?? 0) + offset * minuteMicros);
  return formatMicros(local).slice(0, digits === 0 ? 19 : 20 + digits);
};
