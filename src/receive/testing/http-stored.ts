import type { Started } from './receiver.ts';
import type { StoredDelivery } from './stored.ts';

/** What the ledger counts, by cause. */
export const losses = (receiver: Started): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const line of receiver.lines('receiver')) {
    const { kind, cause, count } = JSON.parse(line);
    if (['loss', 'torn', 'refusal'].includes(kind)) counts.set(cause, (counts.get(cause) ?? 0) + count);
  }
  return counts;
};

/** What was stored of bodies. */
export const bodies = (receiver: Started): StoredDelivery[] =>
  receiver.stored().filter(({ listener }) => listener.startsWith('http='));
