import type { ReactNode } from 'react';
import { Claims } from '../log/claims.tsx';
import { Failed, Searching } from '../log/states.tsx';
import { count } from '../time.ts';
import type { Answer } from '../wire.ts';
import type { Asked } from './use-asked.ts';

type Props<T extends Answer> = {
  asked: Asked<T>;
  /** What a mistake is shown in. */
  query: string;
  /** How much there is, in words. */
  heading(data: T): ReactNode;
  /** Stands above, whatever was answered. */
  controls?: ReactNode;
  children(data: T): ReactNode;
};

/** A view of the log: how much, how far it can be trusted, then the view itself, or why there is none. */
export const View = <T extends Answer>({ asked, query, heading, controls, children }: Props<T>) => {
  const { data, failure, asking } = asked;
  const shown = failure === null ? data : undefined;
  return (
    <>
      <div className="verdict" role="status" aria-busy={asking}>
        {shown !== undefined && (
          <>
            <span className="verdict-count">{heading(shown)}</span>
            <Claims answer={shown.answer} />
          </>
        )}
      </div>
      {controls}
      {failure !== null ? (
        <Failed query={query} failure={failure} />
      ) : shown === undefined ? (
        <Searching />
      ) : (
        <div className="view-body">{children(shown)}</div>
      )}
    </>
  );
};

export const Lines = ({ of }: { of: number }) => (
  <>
    <b>{count(of)}</b> {of === 1 ? 'line' : 'lines'}
  </>
);

/** A share, 0–1, as a bar with its figure. */
export const Share = ({ of }: { of: number }) => (
  <span className="share">
    <span className="share-bar" style={{ inlineSize: `${Math.max(1, of * 100)}%` }} />
    <span className="share-figure">{of > 0 && of < 0.001 ? '<0.1' : (of * 100).toFixed(1)} %</span>
  </span>
);

/** In the place of a list that is empty. */
export const Empty = ({ children }: { children: ReactNode }) => <p className="view-empty">{children}</p>;
