import { useCallback, useEffect, useState, type RefObject } from 'react';
import type { Answer, Status } from '../wire.ts';
import { milliseconds } from '../time.ts';
import { HitDetail } from './hit-detail.tsx';
import { HitList, keyTarget, type ListHandle } from './hit-list.tsx';
import { Histogram } from './histogram.tsx';
import { Failed, Nothing, Searching } from './states.tsx';
import { passes, useLog } from './use-log.ts';
import { Verdict } from './verdict.tsx';

type Props = {
  query: string;
  live: boolean;
  list: RefObject<ListHandle | null>;
  status: Status | undefined;
  /** The newest answer; `null` while search is away. */
  onAnswer(answer: Answer['answer'] | null): void;
  onSearch(query: string): void;
  onNarrow(term: string): void;
};

const iso = (at: number): string => new Date(at).toISOString();

/** The lines that match, those that come, and one of them whole. */
export const Lines = ({ query, live, list, status, onAnswer, onSearch, onNarrow }: Props) => {
  const log = useLog(query, live);
  const [active, setActive] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    setActive(null);
    setOpen(false);
  }, [query]);
  const openLine = useCallback((address: string) => {
    setActive(address);
    setOpen(true);
  }, []);

  const activeIndex = log.hits.findIndex((hit) => hit.address === active);
  const activeHit = log.hits[activeIndex];

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.key === 'Escape' && open) {
        setOpen(false);
        list.current?.focus();
      } else if ((event.key === 'ArrowUp' || event.key === 'ArrowDown') && event.target === document.body) {
        const target = keyTarget(event.key, activeIndex, log.hits.length);
        const hit = target === null ? undefined : log.hits[target];
        if (target === null || hit === undefined) return;
        event.preventDefault();
        list.current?.focus();
        list.current?.show(target);
        setActive(hit.address);
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [open, activeIndex, log.hits, list]);

  const pick = (from: number, until: number) => {
    const index = log.hits.findIndex(
      (hit) => milliseconds(hit.time) >= from && milliseconds(hit.time) < until,
    );
    const hit = log.hits[index];
    // A bar of lines that match and are not shown: search there.
    if (hit === undefined) {
      if (log.counted !== null) onNarrow(`since:${iso(from)} until:${iso(until)}`);
      return;
    }
    list.current?.show(index);
    setActive(hit.address);
  };

  const away = passes(log.failure);
  useEffect(() => {
    if (log.answer !== null) onAnswer(log.answer);
    else if (away) onAnswer(null);
  }, [log.answer, away, onAnswer]);
  const refused = log.failure !== null && !away;
  const failed = log.failure !== null && (log.hits.length === 0 || refused);
  return (
    <>
      {!refused && (
        <Verdict
          shown={log.hits.length}
          total={log.total}
          totalIs={log.totalIs}
          stale={failed ? null : log.failure}
          answer={failed ? null : log.answer}
          tail={log.tail}
          searching={log.searching}
        />
      )}
      {!failed && <Histogram hits={log.hits} counted={log.counted} fresh={log.fresh} onPick={pick} />}
      {failed && log.failure !== null ? (
        <Failed query={query} failure={log.failure} />
      ) : log.hits.length > 0 ? (
        <HitList
          handle={list}
          hits={log.hits}
          query={query}
          active={active}
          onMove={setActive}
          onOpen={openLine}
        />
      ) : log.searching && log.answer === null ? (
        <Searching />
      ) : (
        <Nothing
          query={query}
          live={live}
          hints={log.answer?.hints ?? []}
          status={status}
          onClear={() => onSearch('')}
        />
      )}
      {open && activeHit !== undefined && (
        <HitDetail
          hit={activeHit}
          onClose={() => {
            setOpen(false);
            list.current?.focus();
          }}
          onNarrow={onNarrow}
          onAround={() => onSearch(`around:${activeHit.address}`)}
        />
      )}
    </>
  );
};
