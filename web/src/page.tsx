import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Address, View } from './address.ts';
import { fetchStatus } from './api.ts';
import { Header } from './host/header.tsx';
import { Panel, panelTitles, type PanelView } from './host/panel.tsx';
import type { ListHandle } from './log/hit-list.tsx';
import { Lines } from './log/lines.tsx';
import { SearchBar } from './log/search-bar.tsx';
import { Tabs, type Titles } from './tabs.tsx';
import { narrow, useMedia } from './use-media.ts';
import { Alerts } from './views/alerts.tsx';
import { Counts } from './views/counts.tsx';
import { Files } from './views/files.tsx';
import { Patterns } from './views/patterns.tsx';
import { Saved } from './views/saved.tsx';
import type { Answer } from './wire.ts';

const statusMs = 2_000;

const narrowTitles: Titles<PanelView | 'log'> = [['log', 'Log'], ...panelTitles];

const viewTitles: Titles<View> = [
  ['lines', 'Lines'],
  ['counts', 'Counts'],
  ['patterns', 'Patterns'],
  ['files', 'Files'],
  ['saved', 'Saved'],
  ['alerts', 'Alerts'],
];

/** Of what is searched for; the others are about the whole log. */
const ofTheSearch: ReadonlySet<View> = new Set(['lines', 'counts', 'patterns']);

export const Page = () => {
  const address = useSearch({ from: '__root__' });
  const { q: query, live, view } = address;
  const navigate = useNavigate();
  const client = useQueryClient();
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => fetchStatus(signal),
    refetchInterval: statusMs,
  });
  const isNarrow = useMedia(narrow);
  const [panelView, setPanelView] = useState<PanelView>('audit');
  /** What a narrow page shows, which has no room for both. */
  const [front, setFront] = useState<'log' | 'panel'>('log');
  const [verdicts, setVerdicts] = useState<Answer['answer'] | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<ListHandle>(null);

  const go = useCallback(
    (change: Partial<Address>) => void navigate({ to: '/', search: { ...address, ...change } }),
    [navigate, address],
  );
  const choose = (name: PanelView | 'log') => {
    setFront(name === 'log' ? 'log' : 'panel');
    if (name !== 'log') setPanelView(name);
  };
  const search = (q: string, shown: View = ofTheSearch.has(view) ? view : 'lines') => {
    setFront('log');
    if (q === query && shown === view) void client.refetchQueries({ type: 'active' });
    else go({ q, view: shown });
  };
  const linesOf = (q: string) => search(q, 'lines');
  const narrowed = (term: string): string => {
    const before = /(^|\s)OR\s/.test(query) ? `(${query})` : query;
    return before === '' ? term : `${before} ${term}`;
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  const integrity = verdicts?.integrity ?? null;
  return (
    <div className="page" data-narrow={isNarrow}>
      <Header
        status={status.data}
        statusFailed={status.isError}
        integrity={integrity}
        freshness={verdicts?.freshness ?? null}
        onVault={() => choose('vault')}
      />
      {isNarrow && (
        <Tabs
          label="Views"
          titles={narrowTitles}
          chosen={front === 'log' ? 'log' : panelView}
          onChoose={choose}
        />
      )}
      {(!isNarrow || front === 'log') && (
        <main className="log" id="view-log">
          <SearchBar
            query={query}
            live={live}
            field={field}
            onSearch={search}
            onLive={(next) => void navigate({ to: '/', search: { ...address, live: next }, replace: true })}
            onLeave={() => list.current?.focus()}
          />
          <Tabs
            label="What is shown of the log"
            titles={viewTitles}
            chosen={view}
            onChoose={(next) => go({ view: next })}
          />
          <div className="view" role="tabpanel" id={`view-${view}`} aria-labelledby={`tab-${view}`}>
            {view === 'lines' && (
              <Lines
                query={query}
                live={live}
                list={list}
                status={status.data}
                onAnswer={setVerdicts}
                onSearch={linesOf}
                onNarrow={(term) => linesOf(narrowed(term))}
              />
            )}
            {view === 'counts' && (
              <Counts
                query={query}
                by={address.by}
                onBy={(by) => go({ by })}
                onAnswer={setVerdicts}
                onLines={(term) => linesOf(narrowed(term))}
              />
            )}
            {view === 'patterns' && (
              <Patterns
                query={query}
                since={address.since}
                onSince={(since) => go({ since })}
                onAnswer={setVerdicts}
                onLines={(term) => linesOf(narrowed(term))}
              />
            )}
            {view === 'files' && (
              <Files
                path={address.path}
                onPath={(path) => go({ path })}
                onAnswer={setVerdicts}
                onSearch={linesOf}
              />
            )}
            {view === 'saved' && <Saved query={query} onAnswer={setVerdicts} onSearch={linesOf} />}
            {view === 'alerts' && <Alerts onAnswer={setVerdicts} onSearch={linesOf} />}
          </div>
        </main>
      )}
      {(!isNarrow || front === 'panel') && (
        <Panel
          tabs={isNarrow ? 'elsewhere' : 'here'}
          view={panelView}
          query={query}
          status={status.data}
          integrity={integrity}
          onView={choose}
          onNarrow={(term) => search(narrowed(term))}
          onAnswer={setVerdicts}
        />
      )}
    </div>
  );
};
