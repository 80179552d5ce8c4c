export {
  boundAt,
  compare,
  holderName,
  type Arrival,
  type Compared,
  type InsideDoor,
  type InsideView,
  type Verdict,
} from './outside.ts';
export { findIsolation } from './isolation.ts';
export { findLogging } from './logging.ts';
export { findPatches } from './patches.ts';
export { rankFindings } from './rank.ts';
export { findServices } from './services.ts';
export { AdviseError, type AdviseErrorCode } from './errors.ts';
export { doorsOf, endpointOf, placeOf, type Door } from './doors.ts';
export { recognise } from './recognise.ts';
export * from './knobs/index.ts';
export { doorLadder, type DoorCosts, type DoorLadder } from './door-ladder.ts';
export { narrowed, type Narrowing } from './door-firewall.ts';
