import { Worker } from 'node:worker_threads';
import { messageOf } from './report.ts';
import type { SegmentJob, SegmentResult } from './segment-job.ts';

/** Threads that check segments. */
export type SegmentThreads = {
  /** Never rejects. A thread that dies takes one job with it, of which nothing is said but that. */
  run(job: SegmentJob): Promise<SegmentResult>;
  /** Jobs that may be given before the first is waited for. */
  readonly depth: number;
  close(): Promise<void>;
};

type Waiting = { job: SegmentJob; settle: (result: SegmentResult) => void };
type Thread = { worker: Worker; given: Waiting[] };

/** Jobs that a thread has at once, so that it never waits for the next. */
const perThread = 4;
/** A vault that kills threads one after another is not worth more of them. */
const mostDeaths = 16;

/** @param file of the thread's program; another one in tests */
export const startThreads = (
  count: number,
  file: URL = new URL('./segment-thread.ts', import.meta.url),
): SegmentThreads => {
  const threads: Thread[] = [];
  const waiting: Waiting[] = [];
  let deaths = 0;
  let isClosing = false;

  const start = (): void => {
    const thread: Thread = { worker: new Worker(file), given: [] };
    threads.push(thread);
    let why = 'it ended';
    thread.worker.on('message', (result: SegmentResult) => {
      thread.given.shift()?.settle(result);
      give();
    });
    thread.worker.on('error', (error) => (why = messageOf(error)));
    thread.worker.on('exit', () => bury(thread, why));
  };

  const bury = (thread: Thread, why: string): void => {
    if (isClosing) return;
    threads.splice(threads.indexOf(thread), 1);
    // It works through its jobs in order: the first is the one that it died of.
    const [suspect, ...others] = thread.given;
    waiting.unshift(...others);
    suspect?.settle(unseen(why));
    deaths += 1;
    if (deaths < mostDeaths) start();
    else if (threads.length === 0) for (const { settle } of waiting.splice(0)) settle(unseen(why));
    give();
  };

  const give = (): void => {
    for (;;) {
      const idlest = threads.toSorted((a, b) => a.given.length - b.given.length)[0];
      if (idlest === undefined || idlest.given.length >= perThread) return;
      const next = waiting.shift();
      if (next === undefined) return;
      idlest.given.push(next);
      idlest.worker.postMessage(next.job, []);
    }
  };

  for (let i = 0; i < count; i++) start();
  return {
    depth: count * perThread * 2,
    run: (job) =>
      new Promise((settle) => {
        if (threads.length === 0) {
          settle(unseen('no thread is left'));
          return;
        }
        waiting.push({ job, settle });
        give();
      }),
    async close() {
      isClosing = true;
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
};

const unseen = (why: string): SegmentResult => ({
  kind: 'wrong',
  what: `could not be looked at: the thread that checked it died (${why})`,
  hash: null,
  unseen: true,
});
