import { openVault } from '#vault/read';
import { decodeRecord, type DecodedRecord } from '#vault/record';

/** Every line in a vault but the manifests, in order, read through its signed checkpoint. */
export const vaultLines = (vault: string, vkey: string): DecodedRecord[] => {
  const reader = openVault(vault, { vkey });
  const found: DecodedRecord[] = [];
  for (const { index, entry } of reader.entries(0, reader.checkpoint()?.size ?? 0)) {
    if (entry.kind !== 'batch') continue;
    const { records, offsets, lineCount } = reader.batch(index, 'root');
    for (let line = 1; line < lineCount; line++) found.push(decodeRecord(records, offsets[line]).record);
  }
  return found;
};
