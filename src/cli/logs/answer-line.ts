import { printable } from '#base/printable';
import type { Answer } from '#wire/search';
import type { Io } from '../io.ts';

/** How far the answer can be trusted, on stderr, so that stdout stays lines alone. */
export const printAnswer = (io: Io, { answer }: Answer): void => {
  const { integrity, completeness, freshness, count } = answer;
  const lag = integrity.committed - integrity.indexed;
  const behind = lag > 0 ? `; the index is ${lag} entries behind the vault` : '';
  io.err(io.paint('dim', `${count} ${count === 1 ? 'line matches' : 'lines match'} · `));
  io.err(
    io.paint(
      integrity.verdict === 'altered' ? 'red' : 'dim',
      `integrity: ${integrity.verdict} (${printable(integrity.detail)})`,
    ),
  );
  io.err(
    io.paint('dim', ` · completeness: ${completeness.verdict} (${printable(completeness.detail)})${behind}`),
  );
  io.err(
    io.paint(
      freshness.verdict === 'contradicted' ? 'red' : 'dim',
      ` · freshness ${freshness.verdict}: ${printable(freshness.detail)}\n`,
    ),
  );
  for (const gap of completeness.gaps)
    io.err(
      `  gap: ${printable(gap.sender)}: ${gap.count ?? 'an unknown number of'} lost, ${printable(gap.cause)}, ${gap.from} – ${gap.until}\n`,
    );
};
