import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import type { Deliverer } from '../deliver.ts';
import { selfLine, type Line } from '../line.ts';
import type { Source } from '../source.ts';
import type { Ring } from './ring.ts';

/** `kernel`: the newest record kept. */
const position = z.object({ boot: z.string(), sequence: z.int() });

const pollMilliseconds = 200;
const groupLines = 500;

/**
 * Follows the kernel's log ring. Only for hosts without a journal: journald reads the ring itself, and one event would
 * come twice. What the ring lost is told as a `loss` with its exact number.
 */
export const followRing = (options: {
  deliverer: Deliverer;
  ring: Ring;
  host(): string;
  clock: Clock;
  fail(error: unknown): void;
}): Source => {
  const { deliverer, ring } = options;
  const ended = new AbortController();
  const stored = deliverer.cursors.get('kernel');
  const kept = stored === undefined ? null : position.parse(stored);
  /** Nothing was ever read from the ring: its present content existed before. */
  let isBackfill = kept === null;
  let next = kept !== null && kept.boot === ring.boot ? kept.sequence + 1 : 0;
  let sent = 0;

  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const lines: Line[] = [];
      let isDrained = false;
      while (lines.length < groupLines && !isDrained) {
        const read = ring.read();
        if (read.result === 'nothing new') isDrained = true;
        if (read.result !== 'record' || read.sequence < next) continue;
        if (read.sequence > next) {
          const missing = { first: next, last: read.sequence - 1, count: read.sequence - next };
          const cause = 'the ring was overwritten before it was read';
          lines.push(selfLine(options.clock, 'loss', { via: 'kernel', boot: ring.boot, ...missing, cause }));
        }
        next = read.sequence + 1;
        const cursor = `${ring.boot}:${read.sequence}`;
        const meta = {
          via: 'kernel' as const,
          host: options.host(),
          cursor,
          ...(isBackfill ? { backfill: true } : {}),
        };
        lines.push({ meta, raw: read.raw });
      }
      if (lines.length > 0) {
        await deliverer.put(lines, { kernel: { boot: ring.boot, sequence: next - 1 } });
        sent += lines.length;
      }
      if (!isDrained) continue;
      isBackfill = false;
      await wait(pollMilliseconds, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!ended.signal.aborted) options.fail(error);
  });

  return {
    counts: () => ({ lines: sent }),
    async stop() {
      ended.abort();
      await running;
      ring.close();
    },
  };
};
