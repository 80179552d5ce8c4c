import { join } from 'node:path';
import { amendmentsPath, maxAmendments, parseAmendments } from '#vault/tree';
import { readBounded } from './files.ts';
import type { PendingCommit } from './pending.ts';
import { cannotRead, type Findings } from './report.ts';
import type { Amended } from './scan.ts';

type Checking = {
  vault: string;
  amendments: readonly Amended[];
  /** Entries are lost that may be amendments too. */
  hasLost: boolean;
  pending: () => PendingCommit | null;
  findings: Findings;
  hasMovedOn: () => boolean;
};

/** `vault/amendments` is to name exactly the entries of the log that amend something. */
export const checkList = ({ vault, amendments, hasLost, pending, findings, hasMovedOn }: Checking): void => {
  const file = amendmentsPath;
  const complain = (problem: { what: string; unseen?: true }): void => {
    if (!hasMovedOn()) findings.add({ file, ...problem });
  };
  const named = amendments.map(({ index }) => index);
  let bytes: Buffer | null;
  try {
    bytes = readBounded(join(vault, file), maxAmendments);
  } catch (error) {
    complain(cannotRead(error));
    return;
  }
  if (bytes === null) {
    if (named.length > 0) complain({ what: `missing: it names the entries ${shown(named)}` });
    return;
  }
  // Every amendment has its line, and one form.
  if (bytes.equals(Buffer.from(named.map((index) => `${index}\n`).join('')))) {
    if (named.length === 0) complain({ what: 'unexpected: there is no entry that it could name' });
    return;
  }
  if (pending()?.files.get(file)?.equals(bytes) === true) return;
  let listed: number[];
  try {
    listed = parseAmendments(bytes);
  } catch (error) {
    complain({ what: `changed: ${error instanceof Error ? error.message : String(error)}` });
    return;
  }
  const known = new Set(named);
  const there = new Set(listed);
  const left = named.filter((index) => !there.has(index));
  const extra = listed.filter((index) => !known.has(index));
  if (left.length > 0) complain({ what: `changed: it leaves out the entries ${shown(left)}` });
  else if (!hasLost) complain({ what: `changed: it names the entries ${shown(extra)}, which amend nothing` });
};

const shown = (indices: readonly number[]): string =>
  `${indices.slice(0, 8).join(', ')}${indices.length > 8 ? ` and ${indices.length - 8} more` : ''}`;
