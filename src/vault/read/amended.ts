import { readVaultFile } from '#vault/tiles';
import {
  amendmentsPath,
  maxAmendments,
  parseAmendments,
  type Amendment,
  type BatchEntry,
  type ExpireEntry,
  type RedactEntry,
} from '#vault/tree';

/** An amendment and the index of its entry. */
export type Amended<E extends Amendment = Amendment> = { index: number; entry: E };

/** What a log says later of its batches. */
export type Amendments = {
  /** All, in order. */
  all(): readonly Amended[];
  /** The newest redaction of a batch; its segment is the one that counts. */
  redaction(batch: number): Amended<RedactEntry> | null;
  /** The expire entry under which the batch's segment may be gone. */
  expiry(batch: number, entry: BatchEntry): Amended<ExpireEntry> | null;
};

export const amendmentsOf = (all: readonly Amended[]): Amendments => {
  const redactions = new Map<number, Amended<RedactEntry>>();
  const expiries: Amended<ExpireEntry>[] = [];
  for (const { index, entry } of all) {
    if (entry.kind === 'redact') redactions.set(entry.target.entry, { index, entry });
    if (entry.kind === 'expire') expiries.push({ index, entry });
  }
  return {
    all: () => all,
    redaction: (batch) => redactions.get(batch) ?? null,
    expiry: (batch, { class: name }) =>
      expiries.find(
        ({ index, entry }) =>
          batch < index && batch >= entry.entries.first && batch < entry.entries.end && entry.class === name,
      ) ?? null,
  };
};

/**
 * Indices that `vault/amendments` names; it is no evidence, what it names has to be read through the tiles.
 * @param readList its bytes, where they are known better than from the file; empty where there is none
 * @throws VaultFormatError; VaultError `corrupt`
 */
export const listAmendments = (vault: string, readList?: () => Buffer): number[] => {
  const bytes = readList === undefined ? readVaultFile(vault, amendmentsPath, maxAmendments) : readList();
  return bytes === null || bytes.length === 0 ? [] : parseAmendments(bytes);
};
