import { useEffect, useState } from 'react';
import { countLogBy } from '../api.ts';
import { term } from '../log/term.ts';
import { count } from '../time.ts';
import { useAsked, type OnAnswer } from './use-asked.ts';
import { Empty, Lines, Share, View } from './view.tsx';

type Props = {
  query: string;
  by: string;
  onBy(by: string): void;
  onAnswer: OnAnswer;
  onLines(term: string): void;
};

const suggested = ['host,app', 'app', 'host', 'source', 'severity', 'user', 'status'];

const namesIn = (by: string): string[] =>
  by
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** How many lines match, by what they have in common; a row leads to its lines. */
export const Counts = ({ query, by, onBy, onAnswer, onLines }: Props) => {
  const names = namesIn(by);
  const asked = useAsked(['counts-by', query, by], (signal) => countLogBy(query, names, signal), onAnswer);
  return (
    <View
      asked={asked}
      query={query}
      heading={({ answer }) => (
        <>
          <Lines of={answer.count} /> {answer.count === 1 ? 'matches' : 'match'}
        </>
      )}
      controls={<By by={by} onBy={onBy} />}
    >
      {({ counts: { groups, others }, answer }) =>
        groups.length === 0 ? (
          <Empty>No line matches.</Empty>
        ) : (
          <table className="rows">
            <thead>
              <tr>
                <th className="figure">Lines</th>
                <th className="share-cell">Share</th>
                {names.map((name) => (
                  <th key={name}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {groups.map(({ values, count: lines }) => {
                const terms = values.map((value, index) => term(names[index] ?? '', value));
                return (
                  <tr key={JSON.stringify(values)}>
                    <td className="figure">{count(lines)}</td>
                    <td className="share-cell">
                      <Share of={lines / Math.max(1, answer.count)} />
                    </td>
                    {values.map((value, index) => (
                      <td key={names[index]}>
                        {index === 0 ? (
                          <button type="button" className="row-link" onClick={() => onLines(terms.join(' '))}>
                            {value ?? <i>none</i>}
                          </button>
                        ) : (
                          (value ?? <i>none</i>)
                        )}
                      </td>
                    ))}
                  </tr>
                );
              })}
              {others.groups > 0 && (
                <tr className="quiet">
                  <td className="figure">{count(others.count)}</td>
                  <td className="share-cell">
                    <Share of={others.count / Math.max(1, answer.count)} />
                  </td>
                  <td colSpan={Math.max(1, names.length)}>in {count(others.groups)} more groups</td>
                </tr>
              )}
            </tbody>
          </table>
        )
      }
    </View>
  );
};

/** By what to count: typed, or chosen from what is often asked. */
const By = ({ by, onBy }: Pick<Props, 'by' | 'onBy'>) => {
  const [draft, setDraft] = useState(by);
  useEffect(() => setDraft(by), [by]);
  return (
    <form
      className="view-controls"
      onSubmit={(event) => {
        event.preventDefault();
        onBy(namesIn(draft).join(','));
      }}
    >
      <label>
        Count by{' '}
        <input
          type="text"
          value={draft}
          placeholder="host,app or user"
          maxLength={500}
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => setDraft(event.target.value)}
        />
      </label>
      <button type="submit" className="quiet-button">
        Count
      </button>
      <span className="choices">
        {suggested.map((choice) => (
          <button
            key={choice}
            type="button"
            className="choice"
            aria-pressed={choice === by}
            onClick={() => onBy(choice)}
          >
            {choice}
          </button>
        ))}
      </span>
    </form>
  );
};
