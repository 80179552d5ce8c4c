import type { IncomingMessage } from 'node:http';
import type { Clock } from '#base/clock';
import type { IntakeWriter } from '#vault/intake';
import type { Connection, Progress } from './connections.ts';
import type { Incoming } from './incoming.ts';
import { refusals, type Refusal } from './refusal.ts';

/** Reads bodies no faster than the disk takes them. */
export type Pace = {
  /** Until the disk has caught up. @returns why that is not waited for */
  calm(): Promise<Refusal | null>;
  /** @param rate `followed`: its sender may take its time; `short`: it is not stored, and has little */
  read(
    request: IncomingMessage,
    connection: Connection,
    incoming: Incoming,
    rate: 'due' | 'followed' | 'short',
  ): Promise<'complete' | 'torn' | Refusal>;
  /** The disk has caught up. */
  resume(): void;
};

/** @param patienceMs how long a request waits for the disk before it is sent back */
export const openPace = (intake: IntakeWriter, clock: Pick<Clock, 'elapsed'>, patienceMs: number): Pace => {
  const waiting = new Set<() => void>();

  /** A full disk is told at once: the sender keeps what it has, and knows when to come again. */
  const obstacle = (): Refusal | null => {
    if (intake.space === 'full') return refusals.full;
    return intake.pressure === 'low' ? null : refusals.congested;
  };

  return {
    async calm() {
      if (obstacle() !== refusals.congested) return obstacle();
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, patienceMs);
        waiting.add(done);
      });
      return obstacle();
    },
    read: (request, connection, incoming, rate) =>
      new Promise((resolve) => {
        const now = clock.elapsed();
        const progress: Progress = { since: now, last: now, bytes: 0, pieces: 0, pace: rate, refuse: over };
        function over(result: 'complete' | 'torn' | Refusal): void {
          if (connection.body === progress) connection.body = null;
          connection.idleSince = clock.elapsed();
          waiting.delete(goOn);
          request.removeListener('data', take);
          request.pause();
          resolve(result);
        }
        const goOn = (): void => {
          waiting.delete(goOn);
          progress.pace = rate;
          progress.last = clock.elapsed();
          request.resume();
        };
        const take = (chunk: Buffer): void => {
          progress.last = clock.elapsed();
          progress.bytes += chunk.length;
          progress.pieces += 1;
          const refusal = incoming.push(chunk);
          if (refusal !== null) return over(refusal);
          if (rate === 'short' || intake.pressure === 'low') return;
          progress.pace = 'held-back';
          request.pause();
          waiting.add(goOn);
        };
        connection.body = progress;
        request.on('data', take);
        request.once('end', () => over(request.complete ? 'complete' : 'torn'));
        request.once('close', () => over('torn'));
      }),
    resume() {
      for (const goOn of waiting) goOn();
    },
  };
};
