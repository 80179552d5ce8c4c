import { useQuery } from '@tanstack/react-query';
import { fetchSenders } from '../api.ts';
import { term } from '../log/term.ts';
import { count, localMoment, utcMoment } from '../time.ts';
import type { SenderFigures } from '../wire.ts';

const everyMs = 10_000;

type Props = { onNarrow(term: string): void };

/** What did not come in whole, by sender, over the whole log: those with losses first. */
export const Senders = ({ onNarrow }: Props) => {
  const senders = useQuery({
    queryKey: ['senders'],
    queryFn: ({ signal }) => fetchSenders(signal),
    refetchInterval: everyMs,
  });
  if (senders.data === undefined) {
    return (
      <p className="panel-note">
        {senders.error === null ? 'Asking for the senders…' : senders.error.message}
      </p>
    );
  }
  if (senders.data.length === 0) return <p className="panel-note">Nobody has sent anything yet.</p>;
  return (
    <>
      <p className="panel-note">
        {summary(senders.data)} Lost: gone. Torn: a part came, and is stored. Refused: not taken. All are
        lines of the log: <code>app:holdfast kind=loss</code>.
      </p>
      <ul className="senders">
        {ranked(senders.data).map((figures) => (
          <Sender key={figures.sender ?? ''} figures={figures} onNarrow={onNarrow} />
        ))}
      </ul>
    </>
  );
};

const summary = (senders: SenderFigures[]): string => {
  const lost = senders.reduce((sum, one) => sum + one.lost, 0);
  const torn = senders.reduce((sum, one) => sum + one.torn, 0);
  return lost + torn === 0
    ? 'Nothing is known to be lost or torn.'
    : `${count(lost)} lost and ${count(torn)} torn, that is known.`;
};

/** Lost lines weigh most; among equals the one heard last comes first, as it was sent. */
const ranked = (senders: SenderFigures[]): SenderFigures[] =>
  senders.toSorted((a, b) => b.lost - a.lost || b.torn - a.torn || b.refused - a.refused);

const Sender = ({ figures, onNarrow }: Props & { figures: SenderFigures }) => {
  const { sender, names, via, hosts, lines, last, mismatched, causes } = figures;
  const source = sender === null ? null : term('source', sender);
  return (
    <li>
      <div className="sender-head">
        <button
          type="button"
          className="sender-name"
          disabled={source === null || lines === 0}
          onClick={() => onNarrow(source ?? '')}
        >
          <b>{sender ?? 'Sender not known'}</b>
          {names.length > 0 && <span className="quiet"> {names.join(', ')}</span>}
        </button>
        <span className="source-lines">
          {count(lines)} {lines === 1 ? 'line' : 'lines'}
        </span>
      </div>
      <p className="source-more">
        {via.length > 0 && `${via.join(', ')} · ${count(hosts)} ${hosts === 1 ? 'host' : 'hosts'} claimed · `}
        {last === null ? (
          'no line in the log'
        ) : (
          <time dateTime={last} title={utcMoment(last)}>
            last {localMoment(last).slice(5, 19)}
          </time>
        )}
      </p>
      <Figures figures={figures} />
      {mismatched > 0 && (
        <button
          type="button"
          className="sender-mismatch"
          onClick={() => onNarrow(`${source === null ? '' : `${source} `}claimed_host_mismatch=*`)}
        >
          {count(mismatched)} {mismatched === 1 ? 'line claims' : 'lines claim'} another host
        </button>
      )}
      {causes.length > 0 && (
        <details>
          <summary>why</summary>
          <ul className="sender-causes">
            {causes.map(({ kind, cause, count: times, last: at }) => (
              <li key={`${kind}\n${cause}`}>
                <span>
                  {kind}: {cause}
                </span>
                <span className="source-lines">{count(times)}</span>
                <time className="source-more" dateTime={at} title={utcMoment(at)}>
                  {localMoment(at).slice(5, 19)}
                </time>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
};

const Figures = ({ figures: { lost, torn, refused, heldBack } }: { figures: SenderFigures }) => {
  const shown = [
    { name: 'lost', value: lost === 0 ? null : count(lost), tone: 'bad' },
    { name: 'torn', value: torn === 0 ? null : count(torn), tone: 'warn' },
    { name: 'refused', value: refused === 0 ? null : count(refused), tone: 'warn' },
    { name: 'held back', value: heldBack === 0 ? null : `${count(Math.ceil(heldBack))} s`, tone: 'quiet' },
  ].filter(({ value }) => value !== null);
  return shown.length === 0 ? null : (
    <p className="sender-figures">
      {shown.map(({ name, value, tone }) => (
        <span key={name} data-tone={tone}>
          {value} {name}
        </span>
      ))}
    </p>
  );
};
