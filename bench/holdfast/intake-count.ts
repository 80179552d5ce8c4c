import type { StateDirectory } from '#base/state';
import { Framing } from '#vault/record';
import type { ListenerKind } from '#wire/listen';
import type { Corpus } from '../corpus/corpus.ts';
import { tally, type Count } from '../corpus/tally.ts';
import { BenchError } from '../errors.ts';
import { deliveriesOf, linesOf } from './intake-lines.ts';

/**
 * Looks at every line of every delivery in intake that came in over listeners of one kind.
 * @throws BenchError `wrong-count` for a delivery that is damaged, or cut short
 */
export const countIntake = (state: StateDirectory, kind: ListenerKind, corpus: Corpus): Count => {
  const ticked = tally(corpus.lines, corpus.sum);
  for (const { delivery, listener } of deliveriesOf(state)) {
    if (!listener.startsWith(`${kind}=`)) continue;
    if (delivery.framing !== Framing.newline) {
      for (const line of linesOf(delivery)) ticked.line(line);
      continue;
    }
    const rest = ticked.lines(delivery.body);
    if (rest > 0)
      throw new BenchError(
        'wrong-count',
        `intake of the run: a delivery ends in ${rest} bytes without a line end`,
      );
  }
  return ticked.count();
};
