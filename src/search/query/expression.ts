import type { Micros } from '#base/clock';
import type { Network } from './network.ts';
import type { Value } from './tokens.ts';

/** Fields whose values are names of senders; they are looked up among the known senders. */
export const senderFields = ['host', 'app', 'source', 'via', 'listener'] as const;
export type SenderField = (typeof senderFields)[number];

/** Names of senders: those that are what `value` says, that contain it, or that are addresses of a network. */
export type NameQuestion = { field: SenderField } & (
  { ask: 'whole' | 'inside'; value: Value } | { ask: 'network'; network: Network }
);

export type Comparison = '<' | '<=' | '>' | '>=';

/** What a query asks of a line. */
export type Expression =
  | { kind: 'all' }
  | { kind: 'and' | 'or'; of: Expression[] }
  | { kind: 'not'; of: Expression }
  /** `anywhere`: in the message, or in the name of the app or host. */
  | { kind: 'text'; value: Value; where: 'anywhere' | 'message' }
  | { kind: 'regex'; source: string; column: number }
  | { kind: 'sender'; question: NameQuestion }
  | { kind: 'severity' | 'facility'; numbers: number[] }
  | { kind: 'pid'; comparison: Comparison | '='; pid: number }
  /** Half-open: since ≤ when it came < until. */
  | { kind: 'received'; since: Micros | null; until: Micros | null }
  | { kind: 'address'; entry: number; line: number; part: number | null }
  /** An extracted field with that value, or the same pair as text of the message. */
  | { kind: 'named'; name: string; value: Value }
  | { kind: 'compared'; name: string; comparison: Comparison; number: number }
  | { kind: 'in network'; name: string; network: Network };

/** Lines of exactly that host, app and so on. */
export const senderIs = (field: SenderField, text: string): Expression => ({
  kind: 'sender',
  question: { field, ask: 'whole', value: { text, quoted: true, column: 0 } },
});

/** Lines whose time is at most `within` microseconds from that of one line. */
export type Around = { entry: number; line: number; part: number | null; within: number; column: number };

export type Query = {
  expression: Expression;
  /** Half-open: since ≤ time < until. */
  since: Micros | null;
  until: Micros | null;
  /** Narrows since and until once the line's time was looked up: see prepare.ts. */
  around: Around | null;
};
