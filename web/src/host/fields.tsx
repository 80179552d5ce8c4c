import { fetchFields } from '../api.ts';
import { Claims } from '../log/claims.tsx';
import { term } from '../log/term.ts';
import { count } from '../time.ts';
import { useAsked, type OnAnswer } from '../views/use-asked.ts';
import { Share } from '../views/view.tsx';

type Props = { query: string; onNarrow(term: string): void; onAnswer: OnAnswer };

/** Which fields the lines of the search have, with their most frequent values; a click narrows the search to one. */
export const Fields = ({ query, onNarrow, onAnswer }: Props) => {
  const { data, failure } = useAsked(['fields', query], (signal) => fetchFields(query, signal), onAnswer);
  if (failure !== null) return <p className="panel-note">{failure.message}</p>;
  if (data === undefined) return <p className="panel-note">Reading the newest lines…</p>;
  const { fields, read, answer } = data;
  return (
    <>
      <div className="verdict" role="status">
        <span className="verdict-count">
          <b>{count(read.fields)}</b> {read.fields === 1 ? 'field' : 'fields'} in {count(read.lines)}{' '}
          {read.lines === 1 ? 'line' : 'lines'}
          {read.lines < read.of && <span className="quiet"> of {count(read.of)}, the newest</span>}
        </span>
        <Claims answer={answer} />
      </div>
      {fields.length === 0 && <p className="panel-note">These lines have no fields.</p>}
      <ul className="fields">
        {fields.map(({ name, lines, share, values }) => (
          <li key={name}>
            <p className="field-head">
              <b>{name}</b>
              <span className="source-lines">{count(lines)}</span>
            </p>
            <Share of={share} />
            <p className="field-values">
              {values.map(({ value, lines: times, atLeast }) => (
                <button
                  key={value}
                  type="button"
                  className="choice"
                  title={`${name}=${value}`}
                  onClick={() => onNarrow(term(name, value))}
                >
                  <span>{value === '' ? '""' : value}</span>{' '}
                  <i>
                    {atLeast ? '≥' : ''}
                    {count(times)}
                  </i>
                </button>
              ))}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
};
