import type { Corpus } from '../corpus/corpus.ts';
import { BenchError } from '../errors.ts';
import { connectDatagrams, type SentDatagrams } from '../load/datagrams.ts';
import { bytesBelow, cpuSeconds, peakBytes } from '../run/usage.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ticks } from './ticks.ts';

/** What all trials have in common. */
export type Range = {
  corpus: Corpus;
  checks: Uint32Array;
  /** SO_RCVBUF of the receivers, in bytes. */
  receiveBuffer: number;
  /** How long is sent at a rate; less where the corpus has fewer lines. */
  seconds: number;
};

/** So many datagrams a second of so many senders; rate 0 is as many as they can. */
export type Pace = { rate: number; senders: number };

/** One contender under one load. */
export type Trial = {
  rate: number;
  /** What the senders came to: a machine may be too slow for the rate. */
  reachedRate: number;
  sent: number;
  stored: number;
  /** Lost by the receiver's own account, by cause; null where it has none. */
  counted: Record<string, number> | null;
  cpuMicrosPerDatagram: number;
  peakMB: number;
};

export const lost = (trial: Trial): number => trial.sent - trial.stored;

const quietMs = 1000;
const longestMs = 120_000;

/**
 * Sends, and waits until the receiver has stopped writing.
 * @param out where it writes
 */
export const underLoad = async (
  { corpus, seconds }: Range,
  { rate, senders }: Pace,
  port: number,
  pid: number,
  out: string,
): Promise<{ sent: SentDatagrams; lines: number; cpu: number; peak: number }> => {
  const lines = rate === 0 ? corpus.lines : Math.min(corpus.lines, Math.round(rate * seconds));
  const load = await connectDatagrams(corpus, port, senders, rate, lines);
  const before = cpuSeconds(pid);
  const sent = await load.go();
  const started = performance.now();
  let bytes = bytesBelow(out);
  for (let quiet = 0; quiet < quietMs && performance.now() - started < longestMs; quiet += 100) {
    await sleep(100);
    const now = bytesBelow(out);
    if (now !== bytes) quiet = 0;
    bytes = now;
  }
  const cpu = cpuSeconds(pid) - before;
  const peak = peakBytes(pid);
  await load.end();
  return { sent, lines, cpu, peak };
};

/** @throws BenchError `wrong-count` if a line came twice, was changed, or is none of those sent */
export const trialOf = (
  rate: number,
  { sent, cpu, peak }: Awaited<ReturnType<typeof underLoad>>,
  { stored, repeated, foreign, changed }: Ticks,
  counted: Trial['counted'],
): Trial => {
  if (repeated + foreign + changed > 0)
    throw new BenchError(
      'wrong-count',
      `of ${sent.datagrams} datagrams ${repeated} were stored more than once, ${changed} were changed, and ${foreign} ` +
        'lines are none of those sent. No figures',
    );
  return {
    rate,
    reachedRate: sent.datagrams / sent.seconds,
    sent: sent.datagrams,
    stored,
    counted,
    cpuMicrosPerDatagram: (cpu / stored) * 1e6,
    peakMB: peak / 1e6,
  };
};
