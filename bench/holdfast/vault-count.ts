import { readFileSync } from 'node:fs';
import type { StateDirectory } from '#base/state';
import { openVault, type VaultReader } from '#vault/read';
import { decodeRecord } from '#vault/record';
import type { Corpus } from '../corpus/corpus.ts';
import { tally, type Count } from '../corpus/tally.ts';
import { waitUntil } from '../run/wait.ts';

/**
 * Until the entries under the published, signed checkpoint have as many lines as were sent.
 * @returns the checkpoint's size (outer entries) at that moment
 */
export const waitUntilProvable = async (state: StateDirectory, corpus: Corpus): Promise<number> => {
  const vault = open(state);
  let read = 0;
  let lines = 0;
  await waitUntil('the checkpoint to cover everything', 20, 600_000, () => {
    const size = vault.checkpoint()?.size ?? 0;
    // Line 0 of a batch is its manifest.
    for (const { entry } of vault.entries(read, size)) if (entry.kind === 'batch') lines += entry.lines - 1;
    read = size;
    return lines >= corpus.lines;
  });
  return read;
};

const open = (state: StateDirectory): VaultReader =>
  openVault(state.vault, { vkey: readFileSync(state.vkeyFile, 'utf8').trim() });

/** The size of the newest checkpoint. */
export const vaultSize = (state: StateDirectory): number => open(state).checkpoint()?.size ?? 0;

/**
 * Looks at every line in the first `size` entries of the vault that came in over syslog, with the batch roots worked out again from the lines.
 * @throws VaultError if a batch is not what its entry says
 */
export const countVault = (state: StateDirectory, corpus: Corpus, size: number): Count => {
  const vault = open(state);
  const ticked = tally(corpus.lines, corpus.sum);
  for (const { index, entry } of vault.entries(0, size)) {
    if (entry.kind !== 'batch') continue;
    const { lineCount, records, offsets } = vault.batch(index, 'root');
    for (let line = 1; line < lineCount; line += 1) {
      const { record } = decodeRecord(records, offsets[line]);
      if (record.listener.startsWith('syslog-tcp')) ticked.line(record.raw);
    }
  }
  return ticked.count();
};
