import { useEffect, useRef, useState, type KeyboardEvent, type Ref } from 'react';
import { Cross, Lens } from '../icons.tsx';

type Props = {
  query: string;
  live: boolean;
  field: Ref<HTMLInputElement>;
  onSearch(query: string): void;
  onLive(live: boolean): void;
  /** The reader wants to go from the field into the lines. */
  onLeave(): void;
};

/** The query field. Enter searches; nothing is sent while a half-typed query would only be an error. */
export const SearchBar = ({ query, live, field, onSearch, onLive, onLeave }: Props) => {
  const [draft, setDraft] = useState(query);
  const committed = useRef(query);
  // Back and forward in the browser change the query under the field.
  useEffect(() => {
    if (committed.current !== query) setDraft(query);
    committed.current = query;
  }, [query]);

  const search = (text: string) => {
    committed.current = text;
    setDraft(text);
    onSearch(text);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      onLeave();
    }
    if (event.key === 'Escape') event.currentTarget.blur();
  };

  return (
    <form
      className="search-bar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        search(draft.trim());
      }}
    >
      <div className="search-field">
        <Lens />
        <input
          ref={field}
          type="text"
          aria-label="Search the log"
          aria-keyshortcuts="/"
          placeholder="Search: failed password app:sshd since:1h"
          value={draft}
          maxLength={10_000}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {draft === '' ? (
          <kbd aria-hidden="true">/</kbd>
        ) : (
          <button type="button" className="bare" aria-label="Clear the search" onClick={() => search('')}>
            <Cross />
          </button>
        )}
      </div>
      <button type="submit" className="primary">
        Search
      </button>
      <button
        type="button"
        role="switch"
        aria-checked={live}
        className="live"
        title={live ? 'New lines are shown as they come' : 'The page stands still'}
        onClick={() => onLive(!live)}
      >
        <span className="lamp" aria-hidden="true" />
        Live
      </button>
    </form>
  );
};
