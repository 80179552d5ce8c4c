import { printable } from '#base/printable';
import type { Completeness, Freshness, Gap, Keys, Removed, VerifyReport } from '#vault/verify';
import type { Io } from '../io.ts';

/** Gaps and removals that are shown; the rest is in `--json`. */
const mostShown = 20;

/** The verdicts for a terminal. Good news is green only where nothing about it is unknown. */
export const renderVerify = (io: Io, report: VerifyReport): string =>
  [
    integrity(io, report),
    completeness(io, report.completeness),
    freshness(io, report.freshness),
    ...report.completeness.removed.slice(0, mostShown).map(removed),
    more(
      Math.max(0, report.completeness.removed.length - mostShown) + report.completeness.moreRemoved,
      'removal',
    ),
    report.keys === null ? '' : keys(io, report.keys),
  ].join('');

const integrity = (io: Io, report: VerifyReport): string => {
  const scope = scopeOf(io, report);
  if (report.ok) {
    const green = report.freshness.verdict === 'current';
    return [
      `${io.paint(green ? 'green' : 'bold', 'unaltered')} up to the checkpoint: ${printable(report.integrity.detail)}\n`,
      scope,
      `checkpoint: size ${report.size}, root ${report.root}\n`,
    ].join('');
  }
  const count = report.problems.length + report.more;
  const isUnknown = report.integrity.verdict === 'unknown';
  return [
    isUnknown
      ? `${io.paint('yellow', 'integrity unknown')}: ${count} could not be looked at, nothing else is wrong\n`
      : `${io.paint('red', 'NOT INTACT')}: ${count} ${count === 1 ? 'problem' : 'problems'}\n`,
    ...report.problems.map(
      ({ file, what, lines }) =>
        `  ${io.paint('bold', printable(file))}: ${printable(what)}${lines === undefined ? '' : `  [lines ${lines}]`}\n`,
    ),
    report.more === 0 ? '' : `  … and ${report.more} more that are not listed\n`,
    scope,
  ].join('');
};

const scopeOf = (io: Io, { scope, size }: VerifyReport): string =>
  scope === 'whole'
    ? ''
    : scope.first >= scope.end
      ? `${io.paint('yellow', 'nothing was checked')}: no batch of the log is in the range\n`
      : `${io.paint('yellow', `only entries ${scope.first} to ${scope.end - 1} of ${size} were checked`)}, with their segments and the checkpoints that they name; nothing is said of the others\n`;

const completeness = (io: Io, { verdict, detail, gaps, more: unlisted }: Completeness): string =>
  [
    `${io.paint(verdict === 'complete' ? 'bold' : 'yellow', `completeness ${verdict}`)}: ${printable(detail)}\n`,
    ...gaps.slice(0, mostShown).map(gap),
    more(Math.max(0, gaps.length - mostShown) + unlisted, 'gap'),
  ].join('');

const gap = ({ sender, cause, count, first, last, from, until }: Gap): string => {
  const numbers =
    first === null || last === null
      ? ''
      : first === last
        ? `, number ${first}`
        : `, numbers ${first} to ${last}`;
  const time = from === null && until === null ? '' : `, ${from ?? 'before'} – ${until ?? 'now'}`;
  return `  gap: ${printable(sender)}: ${count ?? 'an unknown number of'} lost, ${printable(cause)}${numbers}${printable(time)}\n`;
};

const removed = ({ kind, first, end, lines, under }: Removed): string => {
  const entries = end - first === 1 ? `entry ${first}` : `entries ${first} to ${end - 1}`;
  const what = kind === 'expired' ? 'expired' : 'redacted in';
  return kind === 'expired'
    ? `${what} under entry ${under}: ${entries}, ${lines} lines\n`
    : `${what} ${entries}: ${lines} ${lines === 1 ? 'line' : 'lines'}, under entry ${under}\n`;
};

const freshness = (io: Io, { verdict, detail, split, unusable }: Freshness): string =>
  [
    `${io.paint(colours[verdict], `freshness ${verdict}`)}: ${printable(detail)}\n`,
    ...split.flatMap(({ by, theirs, ours }) => [
      `two notes that contradict each other, both signed by the log’s key: keep them, they are the proof\n`,
      quoted(printable(by), theirs),
      quoted('this vault', ours),
    ]),
    ...unusable.map(
      ({ by, why }) =>
        `${io.paint('yellow', 'could not be compared')}: ${printable(by)}: ${printable(why)}\n`,
    ),
  ].join('');

const colours = { current: 'bold', unknown: 'yellow', contradicted: 'red' } as const;

const quoted = (name: string, note: string): string =>
  `  ${name}:\n${note
    .trimEnd()
    .split('\n')
    .map((line) => `    ${printable(line)}\n`)
    .join('')}`;

const keys = (io: Io, { given, inForce, replaced, uncheckedTo }: Keys): string => {
  if (replaced === 0) return '';
  const now =
    inForce === null
      ? io.paint('yellow', 'no way leads from it to the key in force')
      : `the key in force is ${printable(inForce)}`;
  const unchecked =
    uncheckedTo === null
      ? ''
      : `. Checkpoints up to size ${uncheckedTo} are signed by an earlier key that was not given: the log pins them, their signatures were not checked`;
  return `keys: replaced ${replaced} ${replaced === 1 ? 'time' : 'times'}; started from key ${given}, ${now}${unchecked}\n`;
};

const more = (count: number, what: string): string =>
  count > 0 ? `  … and ${count} more ${what}${count === 1 ? '' : 's'}\n` : '';
