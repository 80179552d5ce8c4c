import { parentPort } from 'node:worker_threads';
import { runSegmentJob, type SegmentJob } from './segment-job.ts';

/** A thread of `segment-threads.ts`: takes jobs one by one and answers each, in order. */
parentPort?.on('message', (job: SegmentJob) => {
  const { expected } = job;
  // What crosses between threads arrives as plain bytes.
  const root = Buffer.from(expected.root);
  const segment = { ...expected.segment, sha256: Buffer.from(expected.segment.sha256) };
  const result = runSegmentJob({ ...job, expected: { ...expected, root, segment } });
  parentPort?.postMessage(result, []);
});
