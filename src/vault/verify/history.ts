import { join } from 'node:path';
import { maxNote, openCheckpoint, parseHistory, type Checkpoint, type Vkey } from '#vault/checkpoint';
import { historyPath, historySpan, indexPath, sha256 } from '#vault/tree';
import { readBounded, type Listing } from './files.ts';
import { messageOf, type Findings } from './report.ts';

/** A published checkpoint as the history keeps it. Its signature has been checked. */
export type KeptCheckpoint = Checkpoint & { sha256: string; file: string };

export type History = {
  bySize: Map<number, KeptCheckpoint>;
  /** Ascending. */
  sizes: number[];
};

/** Bytes that a history file can have. */
export const maxHistoryFile = historySpan * (2 + maxNote);

/** Reads every published checkpoint. Whether they are all there is for the entries to say, which pin each of them. */
export const readHistory = (vault: string, listing: Listing, vkey: Vkey, findings: Findings): History => {
  const indices: number[] = [];
  for (const file of listing.files.values()) if (file.kind === 'history') indices.push(file.index);
  const history: History = { bySize: new Map(), sizes: [] };
  for (const index of indices.sort((a, b) => a - b)) {
    const file = `history/${indexPath(index)}`;
    const found = readFile(vault, file, index, vkey);
    for (const checkpoint of found.checkpoints) {
      if ((history.sizes.at(-1) ?? -1) >= checkpoint.size) {
        findings.add({ file, what: `the checkpoint of size ${checkpoint.size} is out of order` });
        continue;
      }
      history.bySize.set(checkpoint.size, checkpoint);
      history.sizes.push(checkpoint.size);
    }
    if (found.problem !== null) findings.add({ file, what: found.problem });
  }
  return history;
};

const readFile = (
  vault: string,
  file: string,
  index: number,
  vkey: Vkey,
): { checkpoints: KeptCheckpoint[]; problem: string | null } => {
  const checkpoints: KeptCheckpoint[] = [];
  let bytes: Buffer | null;
  try {
    bytes = readBounded(join(vault, file), maxHistoryFile);
  } catch (error) {
    return { checkpoints, problem: `cannot be read: ${messageOf(error)}` };
  }
  if (bytes === null) return { checkpoints, problem: null };
  const { notes, rest } = parseHistory(bytes);
  let problem = rest > 0 ? `${rest} bytes at its end are no checkpoint` : null;
  for (const [i, note] of notes.entries()) {
    try {
      const checkpoint = openCheckpoint(note, vkey);
      if (historyPath(checkpoint.size) !== `history/${indexPath(index)}`)
        throw new Error(`of size ${checkpoint.size}, which belongs elsewhere`);
      checkpoints.push({ ...checkpoint, sha256: sha256(note).toString('hex'), file });
    } catch (error) {
      problem ??= `changed: checkpoint ${i} in it: ${messageOf(error)}`;
    }
  }
  return { checkpoints, problem };
};
