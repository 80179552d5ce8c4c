import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type Ref } from 'react';
import { useImperativeHandle } from 'react';
import { Down } from '../icons.tsx';
import { count, localDay } from '../time.ts';
import { slim, useMedia } from '../use-media.ts';
import type { Hit } from '../wire.ts';
import { wordsOf } from './highlight.tsx';
import { HitRow, rowId } from './hit-row.tsx';

export type ListHandle = { focus(): void; show(index: number): void };

type Props = {
  hits: Hit[];
  query: string;
  /** Address of the line that the cursor is on. */
  active: string | null;
  handle: Ref<ListHandle>;
  onMove(address: string): void;
  onOpen(address: string): void;
};

const pageOfRows = 20;
const nearTheEnd = 40;

/** The log, newest line last. It follows new lines while its end is in sight, and stands still otherwise. */
export const HitList = ({ hits, query, active, handle, onMove, onOpen }: Props) => {
  const scroller = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [readUpTo, setReadUpTo] = useState<number | null>(null);
  const height = useMedia(slim) ? 52 : 25;
  const words = useMemo(() => wordsOf(query), [query]);
  const day = useMemo(() => {
    const today = localDay(Date.now());
    return hits.some((hit) => localDay(hit.time) !== today) ? 'shown' : 'hidden';
  }, [hits]);

  const rows = useVirtualizer({
    count: hits.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (index) => hits[index]?.address ?? index,
    overscan: 12,
  });
  useEffect(() => {
    rows.measure();
  }, [rows, height]);

  const toEnd = () => {
    follows.current = true;
    setReadUpTo(null);
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  };
  // Another query is another log: begin at its end.
  useLayoutEffect(toEnd, [query]);
  useLayoutEffect(() => {
    if (follows.current) toEnd();
  }, [hits, height]);

  // What stands above the list may grow and take room from it.
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(() => {
      if (follows.current) element.scrollTop = element.scrollHeight;
    });
    resized.observe(element);
    return () => resized.disconnect();
  }, []);

  const onScroll = () => {
    const element = scroller.current;
    if (element === null) return;
    follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearTheEnd;
    setReadUpTo((before) => (follows.current ? null : (before ?? hits.length)));
  };

  const show = (index: number) => {
    follows.current = false;
    rows.scrollToIndex(index, { align: 'auto' });
  };
  useImperativeHandle(handle, () => ({
    focus: () => {
      scroller.current?.focus();
      const last = hits.at(-1);
      if (active === null && last !== undefined) onMove(last.address);
    },
    show,
  }));

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const at = hits.findIndex((hit) => hit.address === active);
    const target = keyTarget(event.key, at, hits.length);
    const hit = target === null ? undefined : hits[target];
    if (target !== null && hit !== undefined) {
      event.preventDefault();
      show(target);
      onMove(hit.address);
    } else if (event.key === 'Enter' && active !== null) {
      event.preventDefault();
      onOpen(active);
    }
  };

  const unread = readUpTo === null ? 0 : hits.length - readUpTo;
  return (
    <div className="hit-list">
      <div className="hit-head" aria-hidden="true" data-day={day}>
        <span className="when">Time</span>
        <span className="severity">Severity</span>
        <span className="host">Host</span>
        <span className="app">App</span>
        <span className="message">Message</span>
      </div>
      <div
        ref={scroller}
        className="hit-scroll"
        role="grid"
        tabIndex={0}
        aria-label="Lines of the log, newest last"
        aria-rowcount={hits.length}
        aria-activedescendant={active === null ? undefined : rowId(active)}
        data-day={day}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div className="hit-rows" role="rowgroup" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ key, index, start, size }) => {
            const hit = hits[index];
            return hit === undefined ? null : (
              <HitRow
                key={key}
                hit={hit}
                index={index}
                top={start}
                height={size}
                active={hit.address === active}
                day={day}
                words={words}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
      {unread > 0 && (
        <button type="button" className="to-end" onClick={toEnd}>
          <Down /> {count(unread)} new {unread === 1 ? 'line' : 'lines'}
        </button>
      )}
    </div>
  );
};

/** The row that a key leads to, `null` for other keys. Before any row is active the last one counts as next. */
export const keyTarget = (key: string, at: number, rows: number): number | null => {
  if (rows === 0) return null;
  const from = at === -1 ? rows : at;
  const within = (index: number) => Math.max(0, Math.min(rows - 1, index));
  if (key === 'ArrowUp') return within(from - 1);
  if (key === 'ArrowDown') return within(from + 1);
  if (key === 'PageUp') return within(from - pageOfRows);
  if (key === 'PageDown') return within(from + pageOfRows);
  if (key === 'Home') return 0;
  if (key === 'End') return rows - 1;
  return null;
};
