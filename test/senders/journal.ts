import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const journalRemote = '/usr/lib/systemd/systemd-journal-remote';
export const journalUpload = '/usr/lib/systemd/systemd-journal-upload';

/** Why these tests cannot run here, or `false`. */
export const noJournal =
  existsSync(journalRemote) && existsSync(journalUpload)
    ? false
    : 'systemd-journal-upload is not installed (apt-get install systemd-journal-remote)';

const bootId = '4b2f5e3d0a5c4c1e9d8f7a6b5c4d3e2f';

/** A field in systemd's export format whose value may hold any byte. */
const field = (name: string, value: Buffer): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
};

/**
 * Adds an entry to a journal file, by systemd's own hand.
 * @param number gives the time of the entry: has to grow
 */
export const addEntry = (file: string, number: number, fields: Record<string, string | Buffer>): void => {
  const entry = Buffer.concat([
    Buffer.from(
      `__REALTIME_TIMESTAMP=${1_778_554_800_000_000 + number}\n__MONOTONIC_TIMESTAMP=${1000 + number}\n_BOOT_ID=${bootId}\n`,
    ),
    ...Object.entries(fields).map(([name, value]) => field(name, Buffer.from(value))),
    Buffer.from('\n'),
  ]);
  execFileSync(journalRemote, ['--output', file, '-'], { input: entry, stdio: ['pipe', 'ignore', 'pipe'] });
};

/** The value of a field in an entry as it was stored, which is in the export format. */
export const valueOf = (entry: Buffer, name: string): Buffer | null => {
  let at = 0;
  while (at < entry.length) {
    const end = entry.indexOf(0x0a, at);
    if (end < 0) return null;
    const line = entry.subarray(at, end);
    const equals = line.indexOf(0x3d);
    const found = line.toString('latin1', 0, equals < 0 ? line.length : equals) === name;
    if (equals >= 0) {
      if (found) return line.subarray(equals + 1);
      at = end + 1;
      continue;
    }
    const length = Number(entry.readBigUInt64LE(end + 1));
    if (found) return entry.subarray(end + 9, end + 9 + length);
    at = end + 10 + length;
  }
  return null;
};
