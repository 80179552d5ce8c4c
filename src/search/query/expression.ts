import type { Micros } from '#base/clock';
import type { Value } from './tokens.ts';

/** Fields whose values are names of senders; they are looked up among the known senders. */
export const senderFields = ['host', 'app', 'source', 'via', 'listener'] as const;
export type SenderField = (typeof senderFields)[number];

/** What a query asks of a line. */
export type Expression =
  | { kind: 'all' }
  | { kind: 'and' | 'or'; of: Expression[] }
  | { kind: 'not'; of: Expression }
  | { kind: 'text'; value: Value }
  | { kind: 'regex'; source: string; column: number }
  | { kind: 'sender'; field: SenderField; value: Value }
  | { kind: 'severity' | 'facility'; numbers: number[] }
  | { kind: 'pid'; pid: number }
  | { kind: 'address'; entry: number; line: number; part: number | null }
  | { kind: 'named'; name: string; value: Value };

export type Query = {
  expression: Expression;
  /** Half-open: since ≤ time < until. */
  since: Micros | null;
  until: Micros | null;
};
