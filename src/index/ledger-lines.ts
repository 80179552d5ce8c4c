import type { ByteString } from './parse/byte-string.ts';
import type { SentBy } from './project/row.ts';

/**
 * Whether a line may tell of others that are missing (#wire/ledger). Searches need these for what they say of
 * completeness; that none came in since they last looked saves them a statement each.
 */
export const tellsOfLoss = ({ via }: SentBy, fields: readonly ByteString[]): boolean => {
  if (via !== 'self') return false;
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at] === 'cause' || (fields[at] === 'kind' && fields[at + 1] === 'loss')) return true;
  return false;
};

/** Two that are the same: no such line came in between, and none was taken away. */
export type LedgerVersion = {
  /** Another one after rows were rewritten or deleted. */
  rows: symbol;
  /** Such lines that came in since. */
  added: number;
};

export type LedgerLines = {
  /** `null` while rows are rewritten or deleted. */
  version(): LedgerVersion | null;
  /** With each insert. */
  added(lines: number): void;
  rewriting(): void;
  rewritten(): void;
};

export const newLedgerLines = (): LedgerLines => {
  let current: LedgerVersion = { rows: Symbol('rows'), added: 0 };
  let isRewriting = false;
  return {
    version: () => (isRewriting ? null : current),
    added(lines) {
      if (lines > 0) current = { ...current, added: current.added + lines };
    },
    rewriting() {
      isRewriting = true;
    },
    rewritten() {
      if (!isRewriting) return;
      isRewriting = false;
      current = { rows: Symbol('rows'), added: 0 };
    },
  };
};
