import { printable } from '#base/printable';
import type { Answer } from '#wire/search';
import type { Io, Style } from '../io.ts';
import { wrap } from '../wrap.ts';

/**
 * How far the answer can be trusted, on stderr, so that stdout stays lines alone.
 * @param heading how many lines were found, in words
 */
export const printAnswer = (io: Io, { answer }: Answer, heading = matching(answer)): void => {
  const { integrity, completeness, freshness } = answer;
  const lag = integrity.committed - integrity.indexed;
  const behind = lag > 0 ? `; the index is ${lag} entries behind the vault` : '';
  io.err(`${io.paint('dim', heading)}\n`);
  for (const hint of answer.hints ?? []) io.err(`  ${io.paint('yellow', `hint: ${printable(hint)}`)}\n`);
  verdict(
    io,
    integrity.verdict === 'altered' ? 'red' : 'dim',
    `integrity: ${integrity.verdict}`,
    integrity.detail,
  );
  verdict(
    io,
    completeness.verdict === 'known gaps' ? 'yellow' : 'dim',
    `completeness: ${completeness.verdict}`,
    `${completeness.detail}${behind}`,
  );
  verdict(
    io,
    freshness.verdict === 'contradicted' ? 'red' : 'dim',
    `freshness: ${freshness.verdict}`,
    freshness.detail,
  );
  for (const gap of completeness.gaps)
    io.err(
      `  gap: ${printable(gap.sender)}: ${gap.count ?? 'an unknown number of'} lost, ${printable(gap.cause)}, ${gap.from} – ${gap.until}\n`,
    );
};

const matching = ({ count, countIs }: Answer['answer']): string =>
  countIs === 'at least'
    ? `more than ${count - 1} ${count === 2 ? 'line matches' : 'lines match'}; --count counts them`
    : `${count} ${count === 1 ? 'line matches' : 'lines match'}`;

const verdict = (io: Io, style: Style, said: string, detail: string): void => {
  for (const line of wrap(`${said} (${printable(detail)})`, io.width, '    ', '  ')
    .trimEnd()
    .split('\n'))
    io.err(`${io.paint(style, line)}\n`);
};
