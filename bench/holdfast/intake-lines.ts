import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StateDirectory } from '#base/state';
import {
  isIntakeName,
  newLines,
  parseDelivery,
  senderNames,
  splitDelivery,
  type Delivery,
} from '#vault/intake';
import { decodeRecord } from '#vault/record';
import { BenchError } from '../errors.ts';

/**
 * Every delivery in intake, and the listener that it came over.
 * @throws BenchError `wrong-count` for one that is damaged or cut short
 */
export function* deliveriesOf(state: StateDirectory): Generator<{ delivery: Delivery; listener: string }> {
  for (const name of readdirSync(state.intake).filter(isIntakeName).toSorted()) {
    const bytes = readFileSync(join(state.intake, name));
    for (let at = 0; at < bytes.length;) {
      const found = parseDelivery(bytes, at);
      if (found.kind !== 'whole')
        throw new BenchError('wrong-count', `${name}: the delivery at byte ${at} is ${found.kind}`);
      at += found.delivery.length;
      yield { delivery: found.delivery, listener: senderNames(found.delivery.sender).listener };
    }
  }
}

const memory = newLines();

/** The lines of a delivery, as the keeper would cut them. */
export function* linesOf(delivery: Delivery): Generator<Buffer> {
  const splitting = splitDelivery(delivery);
  while (!splitting.done()) {
    memory.used = 0;
    memory.count = 0;
    splitting.fill(memory);
    for (let at = 0; at < memory.used;) {
      const { record, next } = decodeRecord(memory.bytes, at);
      yield record.raw;
      at = next;
    }
  }
}
