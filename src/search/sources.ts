import type { Clock } from '#base/clock';
import { formatMicros } from '#base/rfc3339';
import { countSenders, type Index } from '#index';
import type { Source } from '#wire/search';

/** Counting all senders reads the table, so it is not done more often than this. */
const countMs = 60_000;

/**
 * Who has sent anything, the last one first. Of more senders than are kept by name the rest is one row at the end, which
 * says how many it stands for.
 */
export const openSources = (index: Index, clock: Clock): (() => Promise<Source[]>) => {
  let counted: { at: number; senders: Promise<number> } | null = null;
  const countAll = (): Promise<number> => {
    if (counted === null || clock.elapsed() - counted.at > countMs)
      counted = { at: clock.elapsed(), senders: countSenders(index.engine) };
    return counted.senders;
  };

  return async () => {
    const listed = [...index.senders.all()];
    const sources: Source[] = listed
      .map(({ host, app, source, via, lines, first, last }) => ({
        host: host === '' ? null : host,
        app: app === '' ? null : app,
        source,
        via,
        lines,
        first: formatMicros(first),
        last: formatMicros(last),
      }))
      .sort((a, b) => (a.last < b.last ? 1 : -1));
    const others = index.senders.others();
    if (others === null) return sources;
    const senders = await countAll().catch(() => {
      counted = null;
      return 0;
    });
    const more = Math.max(1, senders - listed.length);
    return [
      ...sources,
      {
        host: null,
        app: null,
        source: `about ${more} more senders, not listed`,
        via: '',
        lines: others.lines,
        first: formatMicros(others.first),
        last: formatMicros(others.last),
        others: more,
      },
    ];
  };
};
