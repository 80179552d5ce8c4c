import type { ReactNode } from 'react';
import type { ApiFailure } from '../api.ts';
import type { Status } from '../wire.ts';

/** What stands in the place of the lines when there are none to show: what is the matter, and what to do. */
const State = ({
  title,
  tone,
  children,
}: {
  title: string;
  tone: 'calm' | 'warning' | 'alarm';
  children: ReactNode;
}) => (
  <div className="state" data-tone={tone} role={tone === 'calm' ? 'status' : 'alert'}>
    <div className="state-card">
      <h2>{title}</h2>
      {children}
    </div>
  </div>
);

export const Searching = () => (
  <div className="state" role="status">
    <p className="visually-hidden">Searching</p>
    <div className="skeleton" aria-hidden="true">
      {Array.from({ length: 14 }, (_, index) => (
        <i key={index} />
      ))}
    </div>
  </div>
);

type NothingProps = {
  query: string;
  live: boolean;
  hints: string[];
  status: Status | undefined;
  onClear(): void;
};

export const Nothing = ({ query, live, hints, status, onClear }: NothingProps) => {
  if (query !== '') {
    return (
      <State title="No line matches" tone="calm">
        <p>
          Nothing in the log matches <code>{query}</code>.{' '}
          {live && 'A line that does will appear here as it comes.'}
        </p>
        {hints.map((hint) => (
          <p key={hint} className="suggestion">
            {hint}
          </p>
        ))}
        <p>
          <button type="button" className="quiet-button" onClick={onClear}>
            Show all lines
          </button>
        </p>
      </State>
    );
  }
  const [host, port] = hostAndPort(status?.ready?.receiver['syslogTcp']);
  return (
    <State title="The log is empty" tone="calm">
      <p>Nothing has been received and indexed yet. Send a first line:</p>
      <pre className="command-block">{`logger --server ${host} --tcp --port ${port} "the first line"`}</pre>
      <p>It appears here within two seconds.</p>
    </State>
  );
};

const hostAndPort = (address: string | undefined): [string, string] => {
  const match = /^(.*):(\d+)$/.exec(address ?? '');
  return [match?.[1]?.replace(/^\[|\]$/g, '') ?? '127.0.0.1', match?.[2] ?? '5514'];
};

type FailedProps = { query: string; failure: ApiFailure };

export const Failed = ({ query, failure }: FailedProps) => {
  if (failure.code === 'bad-query') return <BadQuery query={query} failure={failure} />;
  if (failure.code === 'no-session') {
    return (
      <State title="This session has ended" tone="warning">
        <p>
          Logs are shown only to who has the link that Holdfast printed when it started. Open it again; it is
          printed by
        </p>
        <pre className="command-block">holdfast up</pre>
      </State>
    );
  }
  if (failure.code === 'console-away') {
    return (
      <State title="The console is not answering" tone="alarm">
        <p>{failure.message} This page tries again by itself.</p>
      </State>
    );
  }
  if (failure.code === 'search-away') {
    return (
      <State title="The indexer is away" tone="warning">
        <p>
          Search runs in the indexer, which does not answer. Lines are still received and committed; nothing
          is lost. This page tries again every few seconds, and <code>holdfast up</code> prints why the
          indexer stopped.
        </p>
        <p className="quiet">{failure.message}</p>
      </State>
    );
  }
  return (
    <State title="The search failed" tone="alarm">
      <p>{failure.message}</p>
      {failure.suggestion !== null && <p>{failure.suggestion}</p>}
    </State>
  );
};

const BadQuery = ({ query, failure }: FailedProps) => {
  const { column, suggestion } = failure;
  return (
    <State title="The query cannot be read" tone="warning">
      <p>{failure.message}</p>
      {column !== null && (
        <pre className="caret" aria-label={`The mistake is at character ${column + 1}`}>
          {`${query}\n${query.slice(0, column).replace(/[^\t]/g, ' ').padEnd(column)}`}
          <b>^</b>
        </pre>
      )}
      {suggestion !== null && <p className="suggestion">{suggestion}</p>}
    </State>
  );
};
