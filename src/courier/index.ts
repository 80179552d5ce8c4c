export { startPushing, type OutsideWitness, type Pushing, type PushingOptions } from './witnesses.ts';
export { startStamping, type StampingOptions } from './stamping.ts';
