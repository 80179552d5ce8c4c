import { fetchBranches, leafAddress } from '../api.ts';
import { Down } from '../icons.tsx';
import { term } from '../log/term.ts';
import { count, localMoment, utcMoment } from '../time.ts';
import type { Branch } from '../wire.ts';
import { useAsked, type OnAnswer } from './use-asked.ts';
import { Empty, Lines, View } from './view.tsx';

type Props = {
  path: string;
  onPath(path: string): void;
  onAnswer: OnAnswer;
  /** Searches for these lines, and nothing else. */
  onSearch(query: string): void;
};

/** The tree that syslog daemons write: day, host, program; a program of a day is a file. */
export const Files = ({ path, onPath, onAnswer, onSearch }: Props) => {
  const asked = useAsked(['browse', path], (signal) => fetchBranches(path, signal), onAnswer);
  return (
    <View
      asked={asked}
      query={path}
      heading={({ answer, branches }) => (
        <>
          <Lines of={answer.count} />, {size(branches.reduce((sum, { bytes }) => sum + bytes, 0))}
        </>
      )}
      controls={<Crumbs path={path} onPath={onPath} />}
    >
      {({ branches }) =>
        branches.length === 0 ? (
          <Empty>There is nothing here.</Empty>
        ) : (
          <table className="rows files">
            <thead>
              <tr>
                <th>{['Day (UTC)', 'Host', 'Program'][depth(path)] ?? 'File'}</th>
                <th className="figure">Lines</th>
                <th className="figure">Size</th>
                <th className="wide-only">First</th>
                <th>Last</th>
                <th>
                  <span className="visually-hidden">File</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {branches.map((branch) => (
                <Row key={branch.path} branch={branch} onPath={onPath} onSearch={onSearch} />
              ))}
            </tbody>
          </table>
        )
      }
    </View>
  );
};

const Row = ({ branch, onPath, onSearch }: { branch: Branch } & Pick<Props, 'onPath' | 'onSearch'>) => {
  const { lines, bytes, first, last, path, others } = branch;
  const isFile = branch.app !== undefined;
  return (
    <>
      <tr>
        <td>
          <button
            type="button"
            className="row-link"
            title={isFile ? 'Search in these lines' : 'What lies below'}
            onClick={() => (isFile ? onSearch(queryFor(branch)) : onPath(path))}
          >
            {nameOf(branch)}
          </button>
        </td>
        <td className="figure">{count(lines)}</td>
        <td className="figure">{size(bytes)}</td>
        <td className="wide-only">
          <Moment time={first} />
        </td>
        <td>
          <Moment time={last} />
        </td>
        <td className="row-action">
          {isFile && (
            <a className="copy" href={leafAddress(path)} download aria-label={`Download ${nameOf(branch)}`}>
              <Down />
              <span className="wide-only">Download</span>
            </a>
          )}
        </td>
      </tr>
      {others !== undefined && (
        <tr className="quiet">
          <td colSpan={6}>{count(others)} more are not listed; search for them</td>
        </tr>
      )}
    </>
  );
};

const nameOf = ({ day, host, app }: Branch): string => {
  if (app !== undefined) return app ?? 'no program';
  return host === undefined ? day : (host ?? 'no host');
};

/** Times of the log's day, which is UTC, as the tree is. */
const Moment = ({ time }: { time: string }) => (
  <time dateTime={time} title={`${localMoment(time).slice(0, 19)} on this clock`}>
    {utcMoment(time).slice(11, 19)}
  </time>
);

const queryFor = ({ day, host, app }: Branch): string =>
  [
    ...(host === undefined ? [] : [term('host', host)]),
    ...(app === undefined ? [] : [term('app', app)]),
    `since:${day}`,
    `until:${day}`,
  ].join(' ');

const Crumbs = ({ path, onPath }: Pick<Props, 'path' | 'onPath'>) => {
  const parts = path === '' ? [] : partsOf(path);
  return (
    <nav className="view-controls crumbs" aria-label="Where in the tree">
      <button type="button" className="choice" aria-current={parts.length === 0} onClick={() => onPath('')}>
        All days
      </button>
      {parts.map((part, index) => (
        <button
          key={index}
          type="button"
          className="choice"
          aria-current={index === parts.length - 1}
          onClick={() => onPath(parts.slice(0, index + 1).join('/'))}
        >
          {part}
        </button>
      ))}
    </nav>
  );
};

/** Day, host, and the program, in which a `/` may stand. */
const partsOf = (path: string): string[] => {
  const [day = '', host, ...program] = path.split('/');
  return [day, ...(host === undefined ? [] : [host]), ...(program.length === 0 ? [] : [program.join('/')])];
};

const depth = (path: string): number => (path === '' ? 0 : partsOf(path).length);

const size = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** step).toFixed(1)} ${units[step - 1]}`;
};
