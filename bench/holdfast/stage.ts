/** How far a line has come when the clock stops. */
export const stages = ['durable', 'provable', 'searchable'] as const;
export type Stage = (typeof stages)[number];
