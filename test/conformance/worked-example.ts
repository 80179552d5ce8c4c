import { createPublicKey } from 'node:crypto';
import { micros } from '#base/clock';
import { checkpointText, encodeHistoryNote, formatVkey, parseVkey, signNote } from '#vault/checkpoint';
import { encodeLineProof } from '#vault/prove';
import { encodeRecord, Framing, type DecodedRecord } from '#vault/record';
import {
  batchLeaves,
  batchSalts,
  emptyRoot,
  encodeBundleEntry,
  encodeEntry,
  encodeSegment,
  hashAt,
  inclusionPath,
  leafHash,
  nodeHash,
  saltSize,
  sha256,
  treeRoot,
  type Entry,
} from '#vault/tree';
import { keyFromSeed } from '../../src/vault/testing/proof-log.ts';

/** What docs/formats/worked-example.md makes at a shell, made by the product's own encoders. */
export type WorkedExample = {
  vkey: string;
  /** Files by path, as they lie on the page: `vault/…`, `keys/vault.vkey`, `line.tlog-proof`. */
  files: ReadonlyMap<string, Buffer>;
  /** Values that the page shows on the way. */
  values: readonly string[];
};

const origin = 'example.org/holdfast/00000001';
const secret = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const batchKey = Buffer.alloc(32, 7);
const received = 1_778_554_800_000_000;

const plainHead: Omit<DecodedRecord, 'raw' | 'received' | 'listener' | 'peer' | 'framing'> = {
  flags: 0,
  sequence: 0,
  tlsName: '',
  stream: '',
  meta: '',
};

const listener = 'syslog-tcp=127.0.0.1:5514';
const peer = '192.0.2.7:51234';

const manifest = {
  kind: 'manifest',
  entry: 1,
  senders: [{ listener, peer, stream: '', firstSequence: 0, count: 2 }],
  others: { senders: 0, lines: 0 },
  intake: [{ file: '000000000001-00000001.intake', from: 0, to: 100 }],
  lost: { pieces: 0, bytes: 0 },
};

const tcpLine = (microsecond: number, raw: string): Buffer =>
  encodeRecord({
    ...plainHead,
    framing: Framing.newline,
    received: micros(received + microsecond),
    listener,
    peer,
    raw: Buffer.from(raw),
  });

/** One raw block (RFC 8878 §3.1.1.2.2): a frame of 256 to 65,791 bytes that no version of a compressor can change. */
const rawFrame = (plain: Buffer): Buffer => {
  const head = Buffer.from('28b52ffd600000000000', 'hex');
  head.writeUInt16LE(plain.length - 256, 5);
  head.writeUIntLE(plain.length * 8 + 1, 7, 3);
  return Buffer.concat([head, plain]);
};

export const workedExample = (): WorkedExample => {
  const privateKey = keyFromSeed(secret);
  const vkey = formatVkey(origin, createPublicKey(privateKey));
  const { keyId } = parseVkey(vkey);
  const checkpoint = (size: number, root: Buffer): Buffer =>
    signNote(checkpointText(origin, size, root), { name: origin, keyId, privateKey });

  const records = [
    encodeRecord({
      ...plainHead,
      framing: Framing.own,
      received: micros(received + 400_000),
      listener: 'keeper',
      peer: 'keeper',
      raw: Buffer.from(JSON.stringify(manifest)),
    }),
    tcpLine(1, '<34>hello'),
    tcpLine(2, '<34>world'),
  ];
  const offsets = new Uint32Array(records.length + 1);
  for (const [i, record] of records.entries()) offsets[i + 1] = (offsets[i] ?? 0) + record.length;
  const leaves = batchLeaves(Buffer.concat(records), offsets, batchKey);
  const salts = batchSalts(batchKey, records.length);
  const segment = rawFrame(encodeSegment(batchKey, records.length, records));

  const first = checkpoint(0, emptyRoot);
  const common = { committed: micros(received + 500_000), prev: { size: 0, sha256: sha256(first) } };
  const batch: Entry = {
    kind: 'batch',
    class: 'default',
    root: treeRoot(leaves),
    lines: records.length,
    earliest: micros(received + 1),
    latest: micros(received + 2),
    segment: { sha256: sha256(segment), length: segment.length },
    ...common,
  };
  const entries = [encodeEntry({ kind: 'restart', reason: 'created', ...common }), encodeEntry(batch)];
  const hashes = Buffer.concat(entries.map(leafHash));
  const root = treeRoot(hashes);
  const newest = checkpoint(2, root);
  const proof = encodeLineProof({
    index: 1,
    line: 1,
    lineCount: records.length,
    salt: salts.subarray(saltSize, 2 * saltSize),
    innerPath: inclusionPath(leaves, 1),
    entry: entries[1] ?? Buffer.alloc(0),
    record: records[1] ?? Buffer.alloc(0),
    outerPath: inclusionPath(hashes, 1),
    checkpoint: newest,
  });
  const files = new Map<string, Buffer>([
    ['keys/vault.vkey', Buffer.from(`${vkey}\n`)],
    ['vault/checkpoint', newest],
    ['vault/history/000', Buffer.concat([first, newest].map(encodeHistoryNote))],
    ['vault/segment/001.zst', segment],
    ['vault/tile/0/000.p/2', hashes],
    ['vault/tile/entries/000.p/2', Buffer.concat(entries.map(encodeBundleEntry))],
    ['line.tlog-proof', proof],
  ]);
  const hashesShown = [
    ...[0, 1, 2].flatMap((i) => [salts.subarray(i * saltSize, (i + 1) * saltSize), hashAt(leaves, i)]),
    nodeHash(hashAt(leaves, 0), hashAt(leaves, 1)),
    treeRoot(leaves),
    ...entries.map(leafHash),
    root,
    sha256(first),
    ...[...files].filter(([path]) => path.startsWith('vault/')).map(([, bytes]) => sha256(bytes)),
  ].map((hash) => hash.toString('hex'));
  return {
    vkey,
    files,
    values: [
      vkey,
      ...hashesShown,
      first.toString(),
      newest.toString(),
      proof.toString(),
      entries[1]?.toString() ?? '',
    ],
  };
};

/** Bytes as `xxd` shows them, without the column of text. */
export const xxd = (bytes: Buffer): string[] =>
  Array.from({ length: Math.ceil(bytes.length / 16) }, (_, i) => {
    const hex = bytes.subarray(i * 16, (i + 1) * 16).toString('hex');
    return `${(i * 16).toString(16).padStart(8, '0')}: ${hex.replace(/(.{4})(?=.)/g, '$1 ')}`;
  });
