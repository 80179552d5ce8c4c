/** The way of a process's own lines alone, without what the agent reads: for whoever must not reach that. */
export { connectOwn, type Deliverer } from './deliver.ts';
export { selfLine } from './line.ts';
