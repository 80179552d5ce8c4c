import { useEffect, useReducer } from 'react';
import type { Hit } from '../wire.ts';

export type Tail = {
  /** The query that `arrived` belongs to. */
  query: string;
  state: 'off' | 'connecting' | 'following' | 'away';
  /** Lines that came since the tail of this query began, in order of arrival. */
  arrived: Hit[];
  /** Lines that the server left out because this page was too slow. */
  dropped: number;
};

type Event =
  | { kind: 'began'; query: string }
  | { kind: 'state'; state: Tail['state'] }
  | { kind: 'hits'; hits: Hit[] }
  | { kind: 'dropped'; count: number };

/** More rows than anyone scrolls through by hand; the rest is a search away. */
export const mostRows = 20_000;

const next = (tail: Tail, event: Event): Tail => {
  switch (event.kind) {
    case 'began':
      return tail.query === event.query
        ? { ...tail, state: 'connecting' }
        : { query: event.query, state: 'connecting', arrived: [], dropped: 0 };
    case 'state':
      return { ...tail, state: event.state };
    case 'hits':
      return { ...tail, arrived: [...tail.arrived, ...event.hits].slice(-mostRows) };
    case 'dropped':
      return { ...tail, dropped: tail.dropped + event.count };
  }
};

const nothing: Hit[] = [];
const paintMs = 100;
const retryMs = 2_000;

/**
 * Follows `query` while `live`. After a break `onReopened` is called once lines flow again, so that what came in
 * between can be searched for. Pausing keeps what has arrived on the page.
 */
export const useTail = (query: string, live: boolean, onReopened: () => void): Tail => {
  const [tail, send] = useReducer(next, { query, state: 'off', arrived: [], dropped: 0 });

  useEffect(() => {
    if (!live) {
      send({ kind: 'state', state: 'off' });
      return undefined;
    }
    send({ kind: 'began', query });
    let waiting: Hit[] = [];
    let painting: number | undefined;
    let retrying: number | undefined;
    let source: EventSource | null = null;
    let broke = false;

    const paint = () => {
      painting = undefined;
      send({ kind: 'hits', hits: waiting });
      waiting = [];
    };
    const open = () => {
      source = new EventSource(`/api/tail?${new URLSearchParams({ query })}`);
      source.addEventListener('open', () => {
        send({ kind: 'state', state: 'following' });
        if (broke) onReopened();
        broke = false;
      });
      source.addEventListener('hit', (event) => {
        waiting.push(JSON.parse(event.data));
        painting ??= window.setTimeout(paint, paintMs);
      });
      source.addEventListener('dropped', (event) => {
        const notice: { dropped: number } = JSON.parse(event.data);
        send({ kind: 'dropped', count: notice.dropped });
      });
      source.addEventListener('error', () => {
        broke = true;
        send({ kind: 'state', state: 'away' });
        // An answer that is no stream (indexer away) ends an EventSource for good; a lost connection does not.
        if (source?.readyState === EventSource.CLOSED) retrying = window.setTimeout(open, retryMs);
      });
    };
    open();
    return () => {
      source?.close();
      clearTimeout(painting);
      clearTimeout(retrying);
      if (waiting.length > 0) send({ kind: 'hits', hits: waiting });
    };
  }, [query, live, onReopened]);

  // The render in which the query changes comes before the effect that begins anew.
  return tail.query === query
    ? tail
    : { query, state: live ? 'connecting' : 'off', arrived: nothing, dropped: 0 };
};
