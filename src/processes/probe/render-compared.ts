import { boundAt, holderName, type Compared, type Verdict } from '#advise';
import type { CouldNotLook } from '#base/looked';
import { printable } from '#base/printable';
import { renderGaps, table, wrap, type Io } from '#cli';
import { nameOfDoor } from '#probe/host';
import type { Inside } from './inside.ts';
import { doorList, saysOf } from './render.ts';

/** Verdicts that need a sentence, the worst first: what is seen is not what is listened on. */
const explained: readonly Verdict[] = [
  'nobody',
  'gone',
  'undecided',
  'not-looked',
  'forwarded',
  'firewalled',
];

/** Outside and inside side by side; under it each difference, explained; then what is shut on both sides. */
export const renderCompared = (
  io: Io,
  compared: readonly Compared[],
  { view, from }: Inside,
  couldNotLook: readonly CouldNotLook[],
): string => {
  const shut = compared.filter(isQuiet);
  const shown = compared.filter((one) => !isQuiet(one));
  const differences = [
    ...explained.flatMap((verdict) => shown.filter((one) => one.verdict === verdict)),
    // Decided by what its host counted.
    ...shown.filter(({ verdict, outcome }) => verdict === 'open' && outcome.state === 'silent'),
  ];
  const rows = shown.map((one) => [
    nameOfDoor(one.outcome),
    one.outcome.state,
    insideOf(one),
    one.verdict,
    one.outcome.state === 'open' ? saysOf(one.outcome) : '',
  ]);
  return [
    rows.length === 0
      ? 'Nothing is open, and nothing listens on these ports.\n'
      : table(io, ['DOOR', 'OUTSIDE', 'INSIDE', 'VERDICT', 'WHAT IT SAYS'], rows),
    differences.length === 0 ? '' : `\n${io.paint('bold', 'DIFFERENCES')}\n`,
    ...differences.map((one) => difference(io, one)),
    shown.some(({ verdict }) => verdict === 'elsewhere')
      ? `\n${wrap('elsewhere: shut, because what listens is bound to the address under INSIDE, and not to this one.', io.width, '  ', '')}`
      : '',
    ...[...Map.groupBy(shut, titleOf)].map(
      ([title, ones]) =>
        `\n${doorList(
          io,
          title,
          ones.map(({ outcome }) => outcome),
        )}`,
    ),
    view.extent === 'whole'
      ? ''
      : `\n${wrap(`The inside (${printable(from)}) is not whole: the host could not see all of itself. Look there as root.`, io.width, '', '')}`,
    renderGaps(io, couldNotLook),
  ].join('');
};

/** Shut, and nothing of the host's own network would answer. */
const isQuiet = ({ verdict, inside }: Compared): boolean =>
  (verdict === 'shut' || verdict === 'elsewhere') && inside.every(({ own }) => !own);

const titleOf = ({ outcome, inside }: Compared): string =>
  `${outcome.state}, and ${inside.length === 0 ? 'nobody listens' : 'only other network namespaces of the host listen'}`;

const difference = (io: Io, { outcome, verdict, explanation }: Compared): string => {
  const head = `${nameOfDoor(outcome)} ${verdict}: `;
  const colour =
    verdict === 'nobody' ? 'red' : verdict === 'undecided' || verdict === 'gone' ? 'yellow' : 'green';
  return wrap(printable(explanation), io.width, '  ', io.paint(colour, head), head.length);
};

/** `mariadbd on 127.0.0.1`; of several, the first and how many more. */
const insideOf = ({ inside }: Compared): string => {
  const [first, ...more] = inside;
  if (first === undefined) return '-';
  const where =
    boundAt(first) === 'all addresses' ? '*' : first.own ? first.address : `${first.address} (netns)`;
  return `${holderName(first)} on ${where}${more.length === 0 ? '' : `, ${more.length} more`}`;
};
