import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StateDirectory } from '#base/state';
import { isIntakeName, parseDelivery, senderNames } from '#vault/intake';
import { Framing } from '#vault/record';
import type { Corpus } from '../corpus/corpus.ts';
import { tally, type Count } from '../corpus/tally.ts';
import { BenchError } from '../errors.ts';

/**
 * Looks at every line of every delivery in intake that came in over syslog.
 * @throws BenchError `wrong-count` for a delivery that is damaged, cut short, or not newline framing
 */
export const countIntake = (state: StateDirectory, corpus: Corpus): Count => {
  const ticked = tally(corpus.lines, corpus.sum);
  for (const name of readdirSync(state.intake).filter(isIntakeName).toSorted()) {
    const bytes = readFileSync(join(state.intake, name));
    for (let at = 0; at < bytes.length;) {
      const found = parseDelivery(bytes, at);
      if (found.kind !== 'whole') throw wrong(`${name}: the delivery at byte ${at} is ${found.kind}`);
      const { delivery } = found;
      at += delivery.length;
      if (!senderNames(delivery.sender).listener.startsWith('syslog-tcp')) continue;
      if (delivery.framing !== Framing.newline)
        throw wrong(`${name}: a delivery has framing ${delivery.framing}`);
      const rest = ticked.lines(delivery.body);
      if (rest > 0)
        throw wrong(`${name}: the delivery before byte ${at} ends in ${rest} bytes without a line end`);
    }
  }
  return ticked.count();
};

const wrong = (what: string): BenchError => new BenchError('wrong-count', `intake of the run: ${what}`);
