import { printable } from '#base/printable';
import { answer as answerSchema, type Answer } from '#wire/search';
import type { Flag, Flags } from '../command.ts';
import type { Io, Style } from '../io.ts';
import { jsonLine } from '../json-line.ts';
import { wrap } from '../wrap.ts';

/** `brief`: two lines, and one more for each thing that is out of the ordinary. `whole`: each verdict with its reasons. */
export type AnswerForm = 'brief' | 'whole';

export const verboseFlag: Flag = {
  flags: '--verbose',
  description: 'say in full why the answer can be trusted, and how far',
};

export const formOf = (flags: Flags): AnswerForm => (flags['verbose'] === true ? 'whole' : 'brief');

/**
 * How far the answer can be trusted, on stderr, so that stdout stays lines alone.
 * @param heading how many lines were found, in words
 */
export const printAnswer = (
  io: Io,
  { answer }: Answer,
  form: AnswerForm,
  heading = matching(answer, form),
): void => {
  say(io, 'dim', [heading, ...covered(answer.range)].join(' · '), '');
  for (const hint of answer.hints ?? []) say(io, 'yellow', `hint: ${printable(hint)}`);
  if (form === 'whole') printVerdicts(io, answer);
  else printBriefly(io, answer);
  printGaps(io, answer.completeness.gaps, form === 'whole' ? Infinity : mostGaps);
};

/** A line of an answer as JSON. It never repeats what was asked, as hints do: they go to stderr. */
export const printJson = (io: Io, line: unknown): void => {
  const { data } = answerSchema.safeParse(line);
  if (data?.answer.hints === undefined) return io.out(jsonLine(line));
  for (const hint of data.answer.hints) say(io, 'yellow', `hint: ${printable(hint)}`);
  io.out(jsonLine({ answer: { ...data.answer, hints: undefined } }));
};

const mostGaps = 20;

type Verdicts = Answer['answer'];

/** A verdict on the second line has its reason there only where that is short; what is bad has a line of its own. */
const printBriefly = (io: Io, { integrity, completeness, freshness }: Verdicts): void => {
  const complete =
    completeness.verdict === 'known gaps'
      ? 'known gaps'
      : completeness.verdict === 'complete'
        ? 'complete'
        : `completeness unknown${completeness.brief === undefined ? '' : `: ${completeness.brief}`}`;
  const intact = integrity.verdict === 'unknown' ? 'integrity unknown' : integrity.verdict;
  say(io, toneOf(integrity, completeness, freshness), `${intact} · ${complete} · ${fresh(freshness)}`, '');
  if (integrity.verdict !== 'unaltered')
    say(io, toneOf(integrity), `integrity: ${printable(integrity.detail)}`);
  for (const note of completeness.notes ?? []) say(io, 'yellow', printable(note));
  if (completeness.notes === undefined && completeness.brief === undefined)
    say(io, 'dim', `completeness: ${printable(completeness.detail)}`);
  if (freshness.verdict !== 'current' && freshness.unwatched !== true)
    say(io, toneOf(freshness), `freshness: ${printable(freshness.detail)}`);
};

const fresh = ({ verdict }: Verdicts['freshness']): string =>
  verdict === 'unknown' ? 'freshness unknown' : verdict;

const printVerdicts = (io: Io, { integrity, completeness, freshness }: Verdicts): void => {
  const lag = integrity.committed - integrity.indexed;
  const behind = lag > 0 ? `; the index is ${lag} entries behind the vault` : '';
  const verdict = (name: string, { verdict: said, detail }: { verdict: string; detail: string }): void =>
    say(io, toneOf({ verdict: said }), `${name}: ${said} (${printable(detail)})`);
  verdict('integrity', integrity);
  verdict('completeness', { ...completeness, detail: `${completeness.detail}${behind}` });
  verdict('freshness', freshness);
};

const printGaps = (io: Io, gaps: Verdicts['completeness']['gaps'], most: number): void => {
  for (const gap of gaps.slice(0, most))
    say(
      io,
      'yellow',
      `gap: ${printable(gap.sender)}: ${gap.count ?? 'an unknown number of'} lost, ${printable(gap.cause)}, ${gap.from} – ${gap.until}`,
    );
  if (gaps.length > most) say(io, 'yellow', `${gaps.length - most} more gaps: --verbose lists them`);
};

const toneOf = (...verdicts: readonly { verdict: string }[]): Style => {
  const said = verdicts.map(({ verdict }) => verdict);
  if (said.includes('altered') || said.includes('contradicted')) return 'red';
  return said.includes('known gaps') ? 'yellow' : 'dim';
};

const matching = ({ count, countIs }: Verdicts, form: AnswerForm): string => {
  if (countIs !== 'at least') return `${count} ${count === 1 ? 'line matches' : 'lines match'}`;
  return form === 'brief'
    ? `more than ${count - 1} match (--count)`
    : `more than ${count - 1} ${count === 2 ? 'line matches' : 'lines match'}; --count counts them`;
};

/** The part of the asked range for which there is anything, in whole seconds; nothing where that is not known. */
const covered = ({ covered: range }: Verdicts['range']): string[] => {
  if (range === undefined) return [];
  if (range === null) return ['nothing is there for this range'];
  const [from, until] = [range.from, range.until].map((time) => time.slice(0, 19).replace('T', ' '));
  const isOneDay = from?.slice(0, 10) === until?.slice(0, 10);
  return [`${from} – ${isOneDay ? until?.slice(11) : until} UTC`];
};

const say = (io: Io, style: Style, text: string, indent = '  '): void => {
  for (const line of wrap(text, io.width, `${indent}  `, indent).trimEnd().split('\n'))
    io.err(`${io.paint(style, line)}\n`);
};
