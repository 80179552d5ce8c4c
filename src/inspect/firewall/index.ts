export { collectOwnFirewall, type Firewall } from './collect.ts';
export { entrances, type Entrance } from './interfaces.ts';
export { reachableFrom, type Reachable } from './reachable.ts';
export type { Ruleset } from './ruleset.ts';
