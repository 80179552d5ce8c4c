import { useEffect, useState } from 'react';
import { fetchPatterns } from '../api.ts';
import { term } from '../log/term.ts';
import { count, localMoment, utcMoment } from '../time.ts';
import type { Pattern } from '../wire.ts';
import { useAsked, type OnAnswer } from './use-asked.ts';
import { Empty, Lines, Share, View } from './view.tsx';

type Props = {
  query: string;
  since: string;
  onSince(since: string): void;
  onAnswer: OnAnswer;
  onLines(term: string): void;
};

const choices = [
  ['', 'all'],
  ['1h', 'new since 1 h'],
  ['1d', 'new since 1 day'],
  ['7d', 'new since 7 days'],
] as const;

/** Similar lines folded into one, those with most lines first; or only what was never said before. */
export const Patterns = ({ query, since, onSince, onAnswer, onLines }: Props) => {
  const asked = useAsked(
    ['patterns', query, since],
    (signal) => fetchPatterns(query, since === '' ? null : since, signal),
    onAnswer,
  );
  return (
    <View
      asked={asked}
      query={query}
      heading={({ folded }) => (
        <>
          <b>{count(folded.patterns)}</b> {folded.patterns === 1 ? 'pattern' : 'patterns'} in{' '}
          <Lines of={folded.lines} />
        </>
      )}
      controls={<Since since={since} onSince={onSince} />}
    >
      {({ patterns, folded }) => (
        <>
          {folded.lines < folded.of && (
            <p className="view-note">
              Of {count(folded.of)} lines the newest {count(folded.lines)} were folded: there was no time for
              more. Narrow the search by since:, app: or host:.
            </p>
          )}
          {patterns.length === 0 ? (
            <Empty>{since === '' ? 'No line matches.' : 'Nothing was said that was not said before.'}</Empty>
          ) : (
            <ul className="patterns">
              {patterns.map((pattern) => (
                <Row key={`${pattern.app}\n${pattern.template}`} pattern={pattern} onLines={onLines} />
              ))}
            </ul>
          )}
        </>
      )}
    </View>
  );
};

const Row = ({ pattern, onLines }: { pattern: Pattern; onLines(term: string): void }) => {
  const { template, app, lines, share, first, last, isNew } = pattern;
  return (
    <li>
      <button
        type="button"
        className="row-link pattern"
        title="Lines with these words"
        onClick={() => onLines(wordsOf(pattern))}
      >
        {template.split('<*>').map((text, index) => (
          <span key={index}>
            {index > 0 && <i>…</i>}
            {text}
          </span>
        ))}
      </button>
      <p className="source-more">
        <b>{app ?? 'no app'}</b> · {count(lines)} {lines === 1 ? 'line' : 'lines'} ·{' '}
        <time dateTime={first} title={utcMoment(first)}>
          {localMoment(first).slice(0, 19)}
        </time>{' '}
        –{' '}
        <time dateTime={last} title={utcMoment(last)}>
          {localMoment(last).slice(0, 19)}
        </time>
        {isNew === 'unknown' && ' · new or not: there was no time to look'}
      </p>
      <Share of={share} />
    </li>
  );
};

const mostWords = 6;

/** A query for what stands still in the pattern: it finds its lines, and maybe a few more. */
const wordsOf = ({ template, app }: Pattern): string =>
  [
    term('app', app),
    ...template
      .split('<*>')
      .map((text) => text.trim())
      .filter((text) => /\w{2}/.test(text))
      .slice(0, mostWords)
      .map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`),
  ].join(' ');

const Since = ({ since, onSince }: Pick<Props, 'since' | 'onSince'>) => {
  const [draft, setDraft] = useState(since);
  useEffect(() => setDraft(since), [since]);
  return (
    <form
      className="view-controls"
      onSubmit={(event) => {
        event.preventDefault();
        onSince(draft.trim());
      }}
    >
      <span className="choices">
        {choices.map(([value, title]) => (
          <button
            key={value}
            type="button"
            className="choice"
            aria-pressed={value === since}
            onClick={() => onSince(value)}
          >
            {title}
          </button>
        ))}
      </span>
      <label>
        new since{' '}
        <input
          type="text"
          value={draft}
          placeholder="2026-05-12"
          maxLength={100}
          onChange={(event) => setDraft(event.target.value)}
        />
      </label>
      <button type="submit" className="quiet-button">
        Show
      </button>
    </form>
  );
};
