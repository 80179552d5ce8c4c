import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentFile, renderDocument, rowsOf, type Seen } from './document.ts';
import { recentlySeen } from './seen.ts';

/** `node tools/senders/write.ts`: makes docs/senders.md anew, with what the tests of the last hour have seen. */
const file = join(import.meta.dirname, '..', '..', documentFile);
const before = ((): Seen[] => {
  try {
    return rowsOf(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
})();
const now = recentlySeen(3_600_000);
const isSame = (a: Seen, b: Seen): boolean => a.sender === b.sender && a.way === b.way;
const rows = [...before.filter((old) => !now.some((seen) => isSame(old, seen))), ...now];
writeFileSync(file, renderDocument(rows));
