import { useEffect, useRef, type ReactNode } from 'react';
import { CopyButton } from '../copy-button.tsx';
import { Cross } from '../icons.tsx';
import { toneOf } from '../severity.ts';
import { localMoment, milliseconds, span, utcMoment } from '../time.ts';
import type { Hit } from '../wire.ts';
import { Hexdump } from './hexdump.tsx';
import { term } from './term.ts';

type Props = { hit: Hit; onClose(): void; onNarrow(term: string): void; onAround(): void };

/** What the line did not say, or said that it does not know. */
const guesses = {
  year: 'the year: the line has none',
  zone: 'the time zone: the line has none that is clear',
  host: 'the host: the first word was taken for it',
  clock: 'the time: the sender’s clock is not set, as it says itself',
} as const;

/** Everything that is known of one line. */
export const HitDetail = ({ hit, onClose, onNarrow, onAround }: Props) => {
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Braces: newer browsers return a promise here, and React would take it for a cleanup.
    body.current?.scrollTo(0, 0);
  }, [hit.address]);
  const { word, tone } = toneOf(hit.severity);
  const fields = Object.entries(hit.fields);
  return (
    <aside className="detail" aria-label={`Line ${hit.address}`}>
      <header className="detail-head">
        <span className="tag" data-tone={tone}>
          {hit.severity === null ? 'no severity' : word}
        </span>
        <h2>
          Line <code>{hit.address}</code>
        </h2>
        <CopyButton text={hit.address} label="Address" />
        <button
          type="button"
          className="bare"
          aria-label="Close the line"
          aria-keyshortcuts="Escape"
          onClick={onClose}
        >
          <Cross />
        </button>
      </header>
      <div className="detail-body" ref={body}>
        <p className="detail-message">
          {hit.message === '' ? <span className="quiet">(empty)</span> : hit.message}
        </p>
        <p className="detail-actions">
          <CopyButton text={hit.message} label="Message" />
          {hit.host !== null && <NarrowButton name="host" value={hit.host} onNarrow={onNarrow} />}
          {hit.app !== null && <NarrowButton name="app" value={hit.app} onNarrow={onNarrow} />}
          <button type="button" className="quiet-button" onClick={onAround}>
            A minute before and after
          </button>
        </p>

        <h3>Times</h3>
        <dl className="facts">
          <Moment name="Claimed" time={hit.claimed} absent="the sender put none into the line" hit={hit} />
          <Moment name="Received" time={hit.received} absent="" hit={hit} />
          <Moment name="Committed" time={hit.committed} absent="" hit={hit} />
        </dl>

        {hit.guessed !== undefined && hit.guessed.length > 0 && (
          <dl className="facts">
            <Fact name="Guessed">{hit.guessed.map((name) => guesses[name]).join('; ')}</Fact>
          </dl>
        )}

        <h3>Origin</h3>
        <dl className="facts">
          <Fact name="Host">{hit.host}</Fact>
          <Fact name="App">{hit.app}</Fact>
          <Fact name="PID">{hit.pid}</Fact>
          <Fact name="Facility">{hit.facility}</Fact>
          <Fact name="Severity">{hit.severity}</Fact>
          <Fact name="Source">{hit.source}</Fact>
          <Fact name="Via">{hit.via}</Fact>
          {hit.confidence !== undefined && (
            <Fact name="Read with">
              {hit.confidence} % confidence, parser {hit.parser}
            </Fact>
          )}
        </dl>

        {fields.length > 0 && (
          <>
            <h3>Fields</h3>
            <dl className="facts">
              {fields.map(([name, value]) => (
                <Fact key={name} name={name}>
                  {value}
                </Fact>
              ))}
            </dl>
          </>
        )}

        <Proof address={hit.address} />

        <Hexdump key={hit.address} raw={hit.raw} />
      </div>
    </aside>
  );
};

/** How to get, and check, a proof of the line that needs no trust in this page. */
const Proof = ({ address }: { address: string }) => {
  const command = `holdfast vault prove ${address} > line.tlog-proof`;
  return (
    <section aria-label="Proof">
      <h3>Proof</h3>
      <p className="command">
        <code>{command}</code>
        <CopyButton text={command} label="Command" />
      </p>
      <p className="quiet">
        One file that shows, with the log’s public key alone, that these bytes were received then, from that
        peer, and are line <code>{address}</code> of this log. Whoever gets it checks it with{' '}
        <code>holdfast vault check</code>, offline. It does not show that the line says the truth, nor that
        nothing is missing.
      </p>
    </section>
  );
};

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children === null || children === '' ? <span className="quiet">–</span> : children}</dd>
  </>
);

const Moment = ({
  name,
  time,
  absent,
  hit,
}: {
  name: string;
  time: string | null;
  absent: string;
  hit: Hit;
}) => {
  if (time === null) {
    return (
      <>
        <dt>{name}</dt>
        <dd className="quiet">{absent}</dd>
      </>
    );
  }
  const apart = milliseconds(time) - milliseconds(hit.received);
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <time dateTime={time} title={utcMoment(time)}>
          {localMoment(time)}
        </time>
        {apart !== 0 && (
          <span className="quiet">
            {' '}
            {span(apart)} {apart < 0 ? 'before' : 'after'} it was received
          </span>
        )}
        <span className="utc">{utcMoment(time)}</span>
      </dd>
    </>
  );
};

const NarrowButton = ({
  name,
  value,
  onNarrow,
}: {
  name: string;
  value: string;
  onNarrow(term: string): void;
}) => (
  <button type="button" className="quiet-button" onClick={() => onNarrow(term(name, value))}>
    Only {name} <b>{value}</b>
  </button>
);
