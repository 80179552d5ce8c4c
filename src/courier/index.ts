export { startPushing, type OutsideWitness, type Pushing, type PushingOptions } from './witnesses.ts';
export { startStamping, type StampingOptions } from './stamping.ts';
export { deliveringDirectory, startDelivering, type DeliveringOptions } from './alerts/delivering.ts';
