import { micros, type Micros } from '#base/clock';
import type { Amended, VaultReader } from '#vault/read';

/** Lines that an entry of the vault took away: they are in no index, however it was made. */
export type Withdrawn = {
  /** Index of the expire or redact entry. */
  amendment: number;
  kind: 'expired' | 'redacted';
  /** Entries from … to (exclusive) whose lines are gone; for a redaction one entry. */
  ranges: readonly (readonly [first: number, end: number])[];
  /** Of a redaction; `null`: all of them. */
  line: number | null;
  lines: number;
  /** Receive times of the batches, by their entries. */
  earliest: Micros;
  latest: Micros;
};

const step = 1024;

/** What an amendment takes away, read from the entries that it names; `null` where it takes nothing. @throws VaultError */
export const withdrawnBy = async (
  vault: VaultReader,
  { index, entry }: Amended,
): Promise<Withdrawn | null> => {
  if (entry.kind === 'redact') {
    const { entry: target, line } = entry.target;
    const [found] = vault.entries(target, target + 1);
    if (found?.entry.kind !== 'batch') return null;
    const { earliest, latest } = found.entry;
    return {
      amendment: index,
      kind: 'redacted',
      ranges: [[target, target + 1]],
      line,
      lines: 1,
      earliest,
      latest,
    };
  }
  if (entry.kind !== 'expire') return null;
  const ranges: [number, number][] = [];
  let [lines, earliest, latest] = [0, Infinity, -Infinity];
  let isOpen = false;
  const end = Math.min(entry.entries.end, index);
  for (let from = entry.entries.first; from < end; from += step) {
    for (const batch of vault.entries(from, Math.min(end, from + step))) {
      if (batch.entry.kind !== 'batch') continue;
      if (batch.entry.class !== entry.class) {
        isOpen = false;
        continue;
      }
      const last = ranges.at(-1);
      if (isOpen && last !== undefined) last[1] = batch.index + 1;
      else ranges.push([batch.index, batch.index + 1]);
      isOpen = true;
      lines += batch.entry.lines - 1;
      earliest = Math.min(earliest, batch.entry.earliest);
      latest = Math.max(latest, batch.entry.latest);
    }
    // Searches are served by this thread too.
    await new Promise(setImmediate);
  }
  return ranges.length === 0
    ? null
    : {
        amendment: index,
        kind: 'expired',
        ranges,
        line: null,
        lines,
        earliest: micros(earliest),
        latest: micros(latest),
      };
};

/** Its rows. */
export const conditionOf = ({ ranges, line }: Withdrawn): string => {
  const entries = ranges.map(([first, end]) => `(entry >= ${first} AND entry < ${end})`).join(' OR ');
  return line === null ? `(${entries})` : `((${entries}) AND line = ${line})`;
};

/** Whether a line of this place is among them. */
export const isWithdrawn = ({ ranges, line }: Withdrawn, entry: number): boolean =>
  line === null && ranges.some(([first, end]) => entry >= first && entry < end);
