import { count } from '../time.ts';
import type { ApiFailure, Found } from '../api.ts';
import { Claims } from './claims.tsx';
import type { Tail } from './use-tail.ts';

type Props = {
  shown: number;
  total: number;
  totalIs: 'exact' | 'at least';
  stale: ApiFailure | null;
  answer: Found['answer'] | null;
  tail: Tail;
  searching: boolean;
};

/** How much of the answer is here, and how far it can be trusted. */
export const Verdict = ({ shown, total, totalIs, stale, answer, tail, searching }: Props) => (
  <div className="verdict" role="status" aria-busy={searching}>
    {answer !== null && (
      <>
        <span className="verdict-count">
          <b>{totalIs === 'exact' ? count(total) : `More than ${count(shown)}`}</b>{' '}
          {total === 1 ? 'line matches' : 'lines match'}
          {total > shown && <span className="quiet">, the newest {count(shown)} are shown</span>}
        </span>
        <span className="quiet">
          {answer.elapsedMs < 10 ? answer.elapsedMs.toFixed(1) : Math.round(answer.elapsedMs)} ms
        </span>
        <Claims answer={answer} />
      </>
    )}
    <span className="verdict-tail" data-state={tail.state}>
      {tail.state === 'following' && 'following'}
      {tail.state === 'connecting' && 'connecting…'}
      {tail.state === 'away' && 'live lines broke off, trying again…'}
      {tail.state === 'off' && 'standing still'}
    </span>
    {stale !== null && (
      <span className="verdict-dropped" role="alert">
        {stale.code === 'search-away' ? 'The indexer is away' : 'The search failed'}: these lines are from
        before. Trying again…
      </span>
    )}
    {tail.dropped > 0 && (
      <span className="verdict-dropped" role="alert">
        {count(tail.dropped)} live {tail.dropped === 1 ? 'line was' : 'lines were'} too fast for this page and
        left out; search to see them
      </span>
    )}
  </div>
);
