/**
 * A journal cursor taken apart (systemd: sd_journal_get_cursor(3)). It is opaque by contract; its parts have been
 * these since 2012, and are used only to count what is missing and to know an entry again.
 */
export type CursorParts = {
  /** Id of the sequence that `number` belongs to: one for each history of a journald. */
  sequence: string | null;
  number: bigint | null;
  /** Microseconds since the epoch. */
  realtime: bigint | null;
};

export const cursorParts = (cursor: string): CursorParts => {
  const part = (name: string): string | null =>
    new RegExp(`(?:^|;)${name}=([0-9a-f]+)(?:;|$)`).exec(cursor)?.[1] ?? null;
  return { sequence: part('s'), number: hexadecimal(part('i')), realtime: hexadecimal(part('t')) };
};

const hexadecimal = (text: string | null): bigint | null => (text === null ? null : BigInt(`0x${text}`));

/** Whether both name one entry. */
export const isSameEntry = (a: string, b: string): boolean => {
  if (a === b) return true;
  const [one, other] = [cursorParts(a), cursorParts(b)];
  return (
    one.sequence !== null &&
    one.sequence === other.sequence &&
    one.number !== null &&
    one.number === other.number
  );
};

/** Whether `a` comes after `b` in the journal's own order. */
export const isAfter = (a: string, b: string): boolean => {
  const [one, other] = [cursorParts(a), cursorParts(b)];
  if (one.sequence === other.sequence && one.number !== null && other.number !== null)
    return one.number > other.number;
  return one.realtime !== null && other.realtime !== null && one.realtime > other.realtime;
};

/** Entries between two cursors of one sequence, `null` if they are of different ones. */
export const entriesBetween = (before: string, after: string): number | null => {
  const [one, other] = [cursorParts(before), cursorParts(after)];
  if (one.sequence !== other.sequence || one.number === null || other.number === null) return null;
  return Math.max(0, Number(other.number - one.number) - 1);
};
