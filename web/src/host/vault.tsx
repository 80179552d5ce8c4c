import type { ReactNode } from 'react';
import { CopyButton } from '../copy-button.tsx';
import { count, localMoment, utcMoment } from '../time.ts';
import type { Answer, Status } from '../wire.ts';

type Props = { status: Status | undefined; integrity: Answer['answer']['integrity'] | null };

/** What stands behind the verdict, and how to check it without trusting this page. */
export const Vault = ({ status, integrity }: Props) => {
  if (status === undefined) return <p className="panel-note">Asking the console…</p>;
  const { checkpoint, indexer, ready } = status;
  return (
    <div className="vault">
      <h3 className="panel-title">Newest checkpoint</h3>
      {checkpoint.result === 'found' && (
        <dl className="facts">
          <Fact name="Origin">{checkpoint.origin}</Fact>
          <Fact name="Entries">{count(checkpoint.size)}</Fact>
          <Fact name="Root">
            <code className="hash">{checkpoint.root}</code>
          </Fact>
          <Fact name="Published">
            <time dateTime={checkpoint.time} title={utcMoment(checkpoint.time)}>
              {localMoment(checkpoint.time)}
            </time>
          </Fact>
          <Fact name="Signature">{checkpoint.signature}</Fact>
        </dl>
      )}
      {checkpoint.result === 'none' && <p className="panel-note">Nothing has been committed yet.</p>}
      {checkpoint.result === 'could-not-look' && (
        <p className="panel-note">
          Could not look: {checkpoint.what}: {checkpoint.why}. {checkpoint.remedy}.
        </p>
      )}
      {integrity !== null && (
        <p className="panel-note">
          The lines on this page: <b>{integrity.verdict}</b>; {integrity.detail}
        </p>
      )}

      <h3 className="panel-title">Check it yourself</h3>
      <p className="command">
        <code>holdfast vault verify</code>
        <CopyButton text="holdfast vault verify" label="Copy" />
      </p>
      {ready !== null && (
        <>
          <p className="panel-note">With the public key, from anywhere:</p>
          <p className="command">
            <code>{ready.vkey}</code>
            <CopyButton text={ready.vkey} label="Copy" />
          </p>
        </>
      )}

      <h3 className="panel-title">Index</h3>
      {indexer.result === 'answers' ? (
        <dl className="facts">
          <Fact name="Indexed">
            {count(indexer.health.indexed)} of {count(indexer.health.committed)} entries
          </Fact>
          <Fact name="Lines">{count(indexer.health.lines)}</Fact>
          <Fact name="Memory">{Math.round(indexer.health.residentBytes / 1_048_576)} MiB</Fact>
        </dl>
      ) : (
        <p className="panel-note">{indexer.message}</p>
      )}

      <h3 className="panel-title">Processes</h3>
      {ready === null ? (
        <p className="panel-note">Not all of them serve yet.</p>
      ) : (
        <table className="processes">
          <thead>
            <tr>
              <th scope="col">Process</th>
              <th scope="col">PID</th>
              <th scope="col">User id</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(ready.processes).map(([name, { pid, uid }]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{pid}</td>
                <td>{uid}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {ready !== null && (
        <dl className="facts">
          {Object.entries(ready.receiver).map(([name, address]) => (
            <Fact key={name} name={name}>
              {address}
            </Fact>
          ))}
        </dl>
      )}
    </div>
  );
};

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);
