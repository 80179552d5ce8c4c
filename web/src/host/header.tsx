import { Mark, Question, Shield, ShieldBroken } from '../icons.tsx';
import { ago, count, utcMoment } from '../time.ts';
import type { Answer, Status } from '../wire.ts';

type Integrity = Answer['answer']['integrity'];
type Freshness = Answer['answer']['freshness'];
type Props = {
  status: Status | undefined;
  statusFailed: boolean;
  integrity: Integrity | null;
  freshness: Freshness | null;
  onVault(): void;
};

/** Whose log this is, and whether it holds. */
export const Header = ({ status, statusFailed, integrity, freshness, onVault }: Props) => (
  <header className="top">
    <h1>
      <Mark />
      Holdfast
    </h1>
    {status !== undefined && <span className="top-host">{status.host}</span>}
    <button type="button" className="vault-strip" onClick={onVault} aria-label="The vault: show more">
      <VaultVerdict status={status} integrity={integrity} freshness={freshness} />
      {status !== undefined && <VaultFacts status={status} />}
      {statusFailed && <span className="strip-fact bad">no word from the console</span>}
    </button>
  </header>
);

type VerdictProps = { status: Status | undefined; integrity: Integrity | null; freshness: Freshness | null };

/** The verdict of the newest search; it speaks for the lines on the page. */
const VaultVerdict = ({ status, integrity, freshness }: VerdictProps) => {
  const signature = status?.checkpoint.result === 'found' ? status.checkpoint.signature : null;
  if (integrity?.verdict === 'altered' || signature === 'invalid') {
    return (
      <span className="strip-verdict" data-tone="bad">
        <ShieldBroken /> {signature === 'invalid' ? 'Checkpoint signature is wrong' : 'Altered'}
      </span>
    );
  }
  // Lines that are unaltered are no good news in a vault that was put back.
  if (freshness?.verdict === 'contradicted') {
    return (
      <span className="strip-verdict" data-tone="bad" title={freshness.detail}>
        <ShieldBroken /> Contradicted
      </span>
    );
  }
  // Without the checkpoint that it speaks of, a good verdict hangs in the air.
  if (integrity?.verdict === 'unaltered' && status?.checkpoint.result !== 'could-not-look') {
    return (
      <span className="strip-verdict" data-tone="good">
        <Shield /> Unaltered
      </span>
    );
  }
  return (
    <span className="strip-verdict" data-tone="unknown">
      <Question /> Integrity unknown
    </span>
  );
};

const VaultFacts = ({ status }: { status: Status }) => {
  const { checkpoint, indexer, time } = status;
  return (
    <>
      {checkpoint.result === 'found' && (
        <>
          <span className="strip-fact origin">{checkpoint.origin}</span>
          <span className="strip-fact size">
            {count(checkpoint.size)} {checkpoint.size === 1 ? 'entry' : 'entries'}
          </span>
          <span className="strip-fact" title={utcMoment(checkpoint.time)}>
            checkpoint {ago(checkpoint.time, time)}
          </span>
        </>
      )}
      {checkpoint.result === 'none' && <span className="strip-fact">no checkpoint yet</span>}
      {checkpoint.result === 'could-not-look' && (
        <span className="strip-fact warn">could not read the checkpoint</span>
      )}
      <Lag indexer={indexer} />
    </>
  );
};

const Lag = ({ indexer }: { indexer: Status['indexer'] }) => {
  if (indexer.result === 'away') return <span className="strip-fact warn">indexer away</span>;
  const behind = indexer.health.committed - indexer.health.indexed;
  if (behind <= 0) return <span className="strip-fact lag">index up to date</span>;
  return (
    <span className={`strip-fact lag${behind > 10 ? ' warn' : ''}`}>
      index {count(behind)} {behind === 1 ? 'entry' : 'entries'} behind
    </span>
  );
};
