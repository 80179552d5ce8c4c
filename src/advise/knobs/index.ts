import type { Knob } from './knob.ts';
import { mariadb, mysql } from './mariadb.ts';

/** A knob for each service that Holdfast can turn by itself. */
export const knobs: readonly Knob[] = [mariadb, mysql];

/** The knob of a known service; `null` where it is turned by hand. */
export const knobOf = (service: string): Knob | null =>
  knobs.find((knob) => knob.service === service) ?? null;

export { cannotTurn } from './knob.ts';
export { socketKnob } from './socket-unit.ts';
export type { Argv, CannotTurn, Check, Edit, Effective, Knob, KnobFacts, Turn } from './knob.ts';
export { isLocalValue, isLoopback } from './text.ts';
