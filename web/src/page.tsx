import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { fetchStatus } from './api.ts';
import { Audit } from './host/audit.tsx';
import { Header } from './host/header.tsx';
import { Senders } from './host/senders.tsx';
import { Sources } from './host/sources.tsx';
import { Vault } from './host/vault.tsx';
import { HitDetail } from './log/hit-detail.tsx';
import { HitList, keyTarget, type ListHandle } from './log/hit-list.tsx';
import { Histogram } from './log/histogram.tsx';
import { SearchBar } from './log/search-bar.tsx';
import { Failed, Nothing, Searching } from './log/states.tsx';
import { passes, useLog } from './log/use-log.ts';
import { Verdict } from './log/verdict.tsx';
import { Tabs, type View } from './tabs.tsx';
import type { Answer } from './wire.ts';
import { milliseconds } from './time.ts';
import { narrow, useMedia } from './use-media.ts';

const statusMs = 2_000;

const iso = (at: number): string => new Date(at).toISOString();

export const Page = () => {
  const { q: query, live } = useSearch({ from: '__root__' });
  const navigate = useNavigate();
  const log = useLog(query, live);
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => fetchStatus(signal),
    refetchInterval: statusMs,
  });
  const isNarrow = useMedia(narrow);
  const [view, setView] = useState<View>('log');
  const [active, setActive] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<ListHandle>(null);

  const search = useCallback(
    (q: string) => {
      setActive(null);
      setOpen(false);
      setView('log');
      if (q === query) log.again();
      else void navigate({ to: '/', search: { q, live } });
    },
    [query, live, log, navigate],
  );
  const narrowTo = (term: string) => {
    const before = /(^|\s)OR\s/.test(query) ? `(${query})` : query;
    search(before === '' ? term : `${before} ${term}`);
  };
  const openLine = useCallback((address: string) => {
    setActive(address);
    setOpen(true);
  }, []);

  const activeIndex = log.hits.findIndex((hit) => hit.address === active);
  const activeHit = log.hits[activeIndex];

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === '/' && !typing) {
        event.preventDefault();
        field.current?.focus();
        field.current?.select();
      } else if (event.key === 'Escape' && open) {
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
  }, [open, activeIndex, log.hits]);

  const pick = (from: number, until: number) => {
    const index = log.hits.findIndex(
      (hit) => milliseconds(hit.time) >= from && milliseconds(hit.time) < until,
    );
    const hit = log.hits[index];
    // A bar of lines that match and are not shown: search there.
    if (hit === undefined) {
      if (log.counted !== null) narrowTo(`since:${iso(from)} until:${iso(until)}`);
      return;
    }
    list.current?.show(index);
    setActive(hit.address);
  };

  // A query that cannot be read says nothing about the vault: what was last known still holds.
  const known = useRef<Answer['answer'] | null>(null);
  useEffect(() => {
    if (log.answer !== null) known.current = log.answer;
  }, [log.answer]);
  const away = passes(log.failure);
  const verdicts = log.answer ?? (away ? null : known.current);
  const integrity = verdicts?.integrity ?? null;
  const panelView = view === 'log' ? 'audit' : view;
  const refused = log.failure !== null && !away;
  const failed = log.failure !== null && (log.hits.length === 0 || refused);
  return (
    <div className="page" data-narrow={isNarrow}>
      <Header
        status={status.data}
        statusFailed={status.isError}
        integrity={integrity}
        freshness={verdicts?.freshness ?? null}
        onVault={() => setView('vault')}
      />
      {isNarrow && (
        <Tabs views={['log', 'audit', 'sources', 'senders', 'vault']} view={view} onView={setView} />
      )}
      {(!isNarrow || view === 'log') && (
        <main className="log" id="view-log">
          <SearchBar
            query={query}
            live={live}
            field={field}
            onSearch={search}
            onLive={(next) => void navigate({ to: '/', search: { q: query, live: next }, replace: true })}
            onLeave={() => list.current?.focus()}
          />
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
              status={status.data}
              onClear={() => search('')}
            />
          )}
        </main>
      )}
      {(!isNarrow || view !== 'log') && (
        <section className="panel" aria-label="This host">
          {!isNarrow && (
            <Tabs views={['audit', 'sources', 'senders', 'vault']} view={panelView} onView={setView} />
          )}
          <div
            className="panel-body"
            role="tabpanel"
            id={`view-${panelView}`}
            aria-labelledby={`tab-${panelView}`}
          >
            {panelView === 'audit' && <Audit />}
            {panelView === 'sources' && <Sources onNarrow={narrowTo} />}
            {panelView === 'senders' && <Senders onNarrow={narrowTo} />}
            {panelView === 'vault' && <Vault status={status.data} integrity={integrity} />}
          </div>
        </section>
      )}
      {open && activeHit !== undefined && (
        <HitDetail
          hit={activeHit}
          onClose={() => {
            setOpen(false);
            list.current?.focus();
          }}
          onNarrow={narrowTo}
          onAround={() => search(`around:${activeHit.address}`)}
        />
      )}
    </div>
  );
};
