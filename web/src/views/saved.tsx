import { useState } from 'react';
import { fetchSaved, forgetSearch, saveSearch } from '../api.ts';
import { asFailure } from '../log/use-log.ts';
import { count, localMoment, utcMoment } from '../time.ts';
import { useAsked, type OnAnswer } from './use-asked.ts';
import { Empty, View } from './view.tsx';

type Props = { query: string; onAnswer: OnAnswer; onSearch(query: string): void };

/** Searches that have a name: to run, to save the one in the field above, to delete. */
export const Saved = ({ query, onAnswer, onSearch }: Props) => {
  const asked = useAsked(['saved'], fetchSaved, onAnswer);
  const [failure, setFailure] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<string | null>(null);
  const change = (work: Promise<unknown>) => {
    setDoomed(null);
    work.then(
      () => {
        setFailure(null);
        asked.again();
      },
      (error: unknown) =>
        setFailure(asFailure(error instanceof Error ? error : null)?.message ?? 'It failed.'),
    );
  };
  return (
    <View
      asked={asked}
      query={query}
      heading={({ saved }) => (
        <>
          <b>{count(saved.length)}</b> saved
        </>
      )}
      controls={
        <>
          <SaveForm query={query} onSave={(name, text) => change(saveSearch(name, text))} />
          {failure !== null && (
            <p className="view-note" role="alert">
              {failure}
            </p>
          )}
        </>
      }
    >
      {({ saved }) =>
        saved.length === 0 ? (
          <Empty>
            No search is saved. In any query, on the command line too, <code>@NAME</code> stands for the one
            of that name.
          </Empty>
        ) : (
          <ul className="saved">
            {saved.map(({ name, query: text, by, at }) => (
              <li key={name}>
                <button type="button" className="row-link" onClick={() => onSearch(`@${name}`)}>
                  @{name}
                </button>
                <code>{text}</code>
                <p className="source-more">
                  saved {by !== null && `by ${by} `}
                  <time dateTime={at} title={utcMoment(at)}>
                    {localMoment(at).slice(0, 16)}
                  </time>
                </p>
                <span className="saved-actions">
                  <button type="button" className="quiet-button" onClick={() => onSearch(`@${name}`)}>
                    Run
                  </button>
                  <button
                    type="button"
                    className="quiet-button"
                    data-tone={doomed === name ? 'bad' : undefined}
                    aria-label={doomed === name ? `Delete ${name} for good` : `Delete ${name}`}
                    onClick={() => (doomed === name ? change(forgetSearch(name)) : setDoomed(name))}
                    onBlur={() => setDoomed(null)}
                  >
                    {doomed === name ? 'Really delete' : 'Delete'}
                  </button>
                </span>
              </li>
            ))}
          </ul>
        )
      }
    </View>
  );
};

const SaveForm = ({ query, onSave }: { query: string; onSave(name: string, query: string): void }) => {
  const [name, setName] = useState('');
  const [text, setText] = useState(query);
  return (
    <form
      className="view-controls"
      onSubmit={(event) => {
        event.preventDefault();
        onSave(name.trim(), text.trim());
        setName('');
      }}
    >
      <label>
        Save{' '}
        <input
          type="text"
          className="long"
          required
          value={text}
          maxLength={4_000}
          placeholder="app:sshd failed password"
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <label>
        as @
        <input
          type="text"
          required
          value={name}
          pattern="[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
          title="Letters, digits, _ . and -, at most 64"
          placeholder="failed-logins"
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <button type="submit" className="quiet-button">
        Save
      </button>
    </form>
  );
};
