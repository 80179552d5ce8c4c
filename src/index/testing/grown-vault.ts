import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { micros, systemClock, type Micros } from '#base/clock';
// The index itself only ever reads a vault. Its tests need a real one, which the keeper's own writer makes.
import { createVault, openAppender, type Appender, type NewEntry } from '#vault/append';
import { encodeRecord, Framing, type DecodedRecord } from '#vault/record';
import { batchKeySize, batchLeaves, encodeSegment, segmentPath, sha256, treeRoot } from '#vault/tree';

/** A line as a test gives it; what is left out is as a plain TCP syslog sender would have it. */
export type TestLine = Partial<Omit<DecodedRecord, 'raw'>> & { raw: Buffer | string };

/** A real vault in a directory of its own, grown batch by batch. */
export type GrownVault = {
  root: string;
  vault: string;
  keys: string;
  /** Text of the public key. */
  readKey(): { vkey: string };
  appender: Appender;
  /** Commits one batch per list of lines. @returns the first one's entry */
  grow(...batches: TestLine[][]): Promise<number>;
  /** The file that holds an entry's lines. */
  segmentFile(entry: number): string;
  remove(): void;
};

export const testTime = micros(Date.UTC(2026, 4, 12, 3, 0, 0) * 1000);

export const growVault = async (origin = 'test.example/holdfast'): Promise<GrownVault> => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-index-'));
  const vault = join(root, 'vault');
  const keys = join(root, 'keys');
  const clock = systemClock();
  createVault({ vault, keys, origin, clock });
  const appender = await openAppender({ vault, keys, clock });
  return {
    root,
    vault,
    keys,
    readKey: () => ({ vkey: readFileSync(join(keys, 'vault.vkey'), 'utf8').trim() }),
    appender,
    async grow(...batches) {
      const first = appender.size();
      await appender.commit(batches.map(newBatch), 'none\n');
      return first;
    },
    segmentFile: (entry) => join(vault, segmentPath(entry)),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
};

export const recordOf = (line: TestLine): Buffer =>
  encodeRecord({
    flags: 0,
    framing: Framing.newline,
    received: testTime,
    sequence: 0,
    listener: 'syslog-tcp=127.0.0.1:5514',
    peer: '127.0.0.1:40000',
    tlsName: '',
    stream: '',
    meta: '',
    ...line,
    raw: Buffer.from(line.raw),
  });

/** Records back to back after a manifest, as `#vault/read` gives them. */
export const recordsOf = (lines: readonly TestLine[]): { records: Buffer; offsets: Uint32Array } => {
  const records = [
    recordOf({
      listener: 'keeper',
      peer: 'keeper',
      framing: Framing.own,
      meta: '{"via":"self","host":"h"}',
      raw: '{"kind":"manifest"}',
    }),
    ...lines.map(recordOf),
  ];
  const offsets = new Uint32Array(records.length + 1);
  let at = 0;
  records.forEach((record, index) => {
    at += record.length;
    offsets[index + 1] = at;
  });
  return { records: Buffer.concat(records), offsets };
};

const newBatch = (lines: readonly TestLine[]): NewEntry => {
  const { records, offsets } = recordsOf(lines);
  const key = randomBytes(batchKeySize);
  const stored = zstdCompressSync(encodeSegment(key, lines.length + 1, [records]));
  const times = lines.map((line): Micros => line.received ?? testTime);
  return {
    kind: 'batch',
    stored,
    entry: {
      class: 'default',
      root: treeRoot(batchLeaves(records, offsets, key)),
      lines: lines.length + 1,
      earliest: micros(Math.min(...times)),
      latest: micros(Math.max(...times)),
      segment: { sha256: sha256(stored), length: stored.length },
    },
  };
};
