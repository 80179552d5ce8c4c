import { parentPort, workerData } from 'node:worker_threads';
import { judgeAll } from './judge.ts';

/** A thread of `judgeOnAll`: judges what it is given on a copy of its own. */
const { subject, vkey, mutations } = workerData;
parentPort?.postMessage(await judgeAll(subject, vkey, mutations), []);
