import type { Micros } from '#base/clock';
import type { Numbering } from './numbering.ts';
import type { AlteredEntry } from './progress.ts';
import type { Reparsing } from './reparse.ts';
import type { Withdrawn } from './withdrawn.ts';

export type Trouble = {
  /** `vault altered`: what is published is not what was signed. `vault`: it could not be read. `index`: the engine failed. */
  with: 'vault altered' | 'vault' | 'index';
  message: string;
};

/** What the index can say of itself. */
export type IndexState = {
  /** Entries below this are in the index. Rows of later ones may be there already and are not to be shown. */
  indexed: number;
  /** Size of the newest checkpoint seen; 0 if there is none yet. */
  committed: number;
  lines: number;
  redelivered: number;
  /** Lines that came under a number that another line had: shown, and flagged. */
  conflicts: number;
  /** What was received up to here is in the index, as far as the vault tells; 0 = nothing can be said. */
  heldUntil: Micros;
  /** Their lines are not in the index. They are tried again each minute. */
  altered: readonly AlteredEntry[];
  /** Lines that entries of the vault took away. */
  withdrawn: readonly Withdrawn[];
  numbering: Numbering;
  /** How far another parser's lines have been read again; `null` where all are of the parser of today. */
  reparsing: Reparsing | null;
  /** Why the vault's entries beyond `indexed` are not being taken in, `null` if they are. */
  trouble: Trouble | null;
};

/** Entries [from, to) have just become searchable. */
export type Indexed = { from: number; to: number };
