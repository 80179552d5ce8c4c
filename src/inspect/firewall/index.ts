export { collectDoors, judgeDoors, type Door, type DoorsReport } from './doors.ts';
export type { Reachable } from './reachable.ts';
export type { Ruleset } from './ruleset.ts';
