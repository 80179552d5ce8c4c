import type { LocalTime } from './parse/timestamp.ts';
import { projectBatch } from './project/project.ts';
import type { RowBinaryWriter } from './project/row-binary.ts';
import type { AlteredEntry, Progress } from './progress.ts';
import { Senders } from './senders.ts';
import type { VaultSource } from './vault-source.ts';

/** Entries that go into the index by one insert. */
export type Group = {
  from: number;
  rows: number;
  bytes: Buffer;
  senders: Senders;
  /** The progress once this group is in. */
  after: Progress;
};

export type GroupLimits = { rows: number; bytes: number };

export const groupLimits: GroupLimits = { rows: 131_072, bytes: 48 * 1024 * 1024 };

/**
 * Reads and projects entries from `before.entry` up to `size`, as many as one insert takes, at least one. Uses `writer`,
 * whose bytes are valid until it is used again. Lines whose (stream, sequence) is in the index already are left out.
 */
export const collectGroup = async (
  vault: VaultSource,
  before: Progress,
  size: number,
  writer: RowBinaryWriter,
  local: LocalTime,
  limits: GroupLimits = groupLimits,
): Promise<Group> => {
  writer.truncate(0);
  const numbering = before.numbering.copy();
  const altered: AlteredEntry[] = [];
  const senders = new Senders();
  let rows = 0;
  let redelivered = 0;
  let entry = before.entry;

  const admit = (stream: string, sequence: number): boolean => {
    const fresh = numbering.admit(stream, sequence);
    if (!fresh) redelivered += 1;
    return fresh;
  };

  for (; entry < size && rows < limits.rows && writer.length < limits.bytes; entry += 1) {
    const read = await vault.read(entry);
    if (read.kind === 'altered') altered.push({ entry, reason: read.reason });
    if (read.kind === 'lines') {
      rows += projectBatch(writer, entry, read.batch, { local, admit, witness: (row) => senders.add(row) });
    }
    // Searches are served by this thread too.
    await new Promise(setImmediate);
  }
  return {
    from: before.entry,
    rows,
    bytes: writer.bytes(),
    senders,
    after: {
      ...before,
      entry,
      lines: before.lines + rows,
      redelivered: before.redelivered + redelivered,
      numbering,
      altered: altered.length === 0 ? before.altered : [...before.altered, ...altered],
    },
  };
};
