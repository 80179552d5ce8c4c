import type { IndexState, Withdrawn } from '#index';
import type { Query } from './query/expression.ts';

const mostNamed = 8;

/**
 * Lines of the query's range that entries of the vault took away, in words. By receive time: what time the lines
 * themselves claimed is gone with them.
 */
export const withdrawnIn = ({ withdrawn }: IndexState, { since, until }: Query): string[] => {
  const found = withdrawn.filter(
    ({ earliest, latest }) => (since === null || latest >= since) && (until === null || earliest < until),
  );
  const expired = found.filter(({ kind }) => kind === 'expired');
  const redacted = found.filter(({ kind }) => kind === 'redacted');
  const more = expired.length - mostNamed;
  return [
    ...expired.slice(-mostNamed).map(inWords),
    ...(more > 0 ? [`${more} more ranges expired`] : []),
    ...(redacted.length > mostNamed
      ? [`${redacted.length} lines were redacted, the last under entry ${redacted.at(-1)?.amendment}`]
      : redacted.map(inWords)),
  ];
};

const inWords = ({ kind, amendment, lines, ranges, line }: Withdrawn): string =>
  kind === 'expired'
    ? `${lines} ${lines === 1 ? 'line' : 'lines'} expired under entry ${amendment}`
    : `line ${ranges[0]?.[0]}:${line} was redacted under entry ${amendment}`;

/** A place in the vault. */
export type Place = { entry: number; line: number };

/** What may explain that numbers between two places are not there; `null` where nothing was taken away between them. */
export const withdrawnBetween = (
  { withdrawn }: IndexState,
  after: Place | null,
  before: Place | null,
): Withdrawn | null =>
  withdrawn.find(({ ranges, line }) =>
    ranges.some(([first, end]) => {
      const begins: Place = { entry: first, line: line ?? 1 };
      const ends: Place = { entry: end - 1, line: line ?? Infinity };
      return (after === null || isBefore(after, ends)) && (before === null || isBefore(begins, before));
    }),
  ) ?? null;

const isBefore = (a: Place, b: Place): boolean =>
  a.entry < b.entry || (a.entry === b.entry && a.line < b.line);
