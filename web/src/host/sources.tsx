import { useQuery } from '@tanstack/react-query';
import { fetchSources } from '../api.ts';
import { term } from '../log/term.ts';
import { count, localMoment, utcMoment } from '../time.ts';
import type { Source } from '../wire.ts';

const everyMs = 5_000;

/** Who sends, and how much; a click searches for it. */
export const Sources = ({ onNarrow }: { onNarrow(term: string): void }) => {
  const sources = useQuery({
    queryKey: ['sources'],
    queryFn: ({ signal }) => fetchSources(signal),
    refetchInterval: everyMs,
  });
  if (sources.data === undefined) {
    return (
      <p className="panel-note">
        {sources.error === null ? 'Asking for the sources…' : sources.error.message}
      </p>
    );
  }
  if (sources.data.length === 0) return <p className="panel-note">Nobody has sent anything yet.</p>;
  return (
    <ul className="sources">
      {speakers(sources.data).map(({ host, app, lines, last, from, via }) => {
        const terms = `${term('host', host)} ${term('app', app)}`;
        return (
          <li key={`${host}\n${app}`}>
            <button type="button" onClick={() => onNarrow(terms)}>
              <span className="source-name">
                <b>{app ?? 'no app'}</b> <span className="quiet">on {host ?? 'no host'}</span>
              </span>
              <span className="source-lines">{count(lines)}</span>
              <span className="source-more">
                {via.join(', ')} from {from.length === 1 ? from[0] : `${count(from.length)} addresses`}
              </span>
              <time className="source-more" dateTime={last} title={utcMoment(last)}>
                {localMoment(last).slice(5, 19)}
              </time>
            </button>
          </li>
        );
      })}
    </ul>
  );
};

type Speaker = {
  host: string | null;
  app: string | null;
  lines: number;
  last: string;
  from: string[];
  via: string[];
};

/** One entry per application and host, most talkative first: a sender's port changes with each connection. */
export const speakers = (sources: Source[]): Speaker[] =>
  [...Map.groupBy(sources, ({ host, app }) => JSON.stringify([host, app])).values()]
    .flatMap((group): Speaker[] => {
      const first = group[0];
      if (first === undefined) return [];
      return [
        {
          host: first.host,
          app: first.app,
          lines: group.reduce((sum, { lines }) => sum + lines, 0),
          last: group.reduce((newest, { last }) => (last > newest ? last : newest), first.last),
          from: [...new Set(group.map(({ source }) => source))],
          via: [...new Set(group.map(({ via }) => via))],
        },
      ];
    })
    .sort((a, b) => b.lines - a.lines);
