import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { micros } from '#base/clock';
import {
  checkpointText,
  formatVkey,
  parseVkey,
  signNote,
  type NoteSigner,
  type Vkey,
} from '#vault/checkpoint';
import type { LineProof } from '#vault/prove';
import { encodeRecord, Framing, type DecodedRecord } from '#vault/record';
import {
  batchLeaves,
  batchSalts,
  encodeEntry,
  inclusionPath,
  leafHash,
  saltSize,
  sha256,
  treeRoot,
  type BatchEntry,
  type Entry,
} from '#vault/tree';

/** An Ed25519 key whose 32 secret bytes are given (RFC 8410 §7). For tests alone. */
export const keyFromSeed = (seed: Buffer): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });

/** A log in memory, of entries without meaning but for one batch. */
export type ProofLog = {
  vkeyText: string;
  vkey: Vkey;
  signer: NoteSigner;
  batch: BatchEntry;
  records: readonly Buffer[];
  prove(line: number): LineProof;
};

const testHead: Omit<DecodedRecord, 'raw'> = {
  flags: 0,
  framing: Framing.newline,
  received: micros(1_778_554_800_000_001),
  sequence: 0,
  listener: 'syslog-tcp=127.0.0.1:5514',
  peer: '192.0.2.7:51234',
  tlsName: '',
  stream: '',
  meta: '',
};

const origin = 'test.example/holdfast/0';

export type ProofLogShape = {
  /** Raw bytes of the lines of the batch; the first stands for the manifest. */
  raws: readonly Buffer[];
  /** Entries of the log, and which of them is the batch. */
  size: number;
  index: number;
  batchKey?: Buffer;
  head?: Partial<Omit<DecodedRecord, 'raw'>>;
};

export const newProofLog = ({ raws, size, index, head = {}, ...rest }: ProofLogShape): ProofLog => {
  const batchKey = rest.batchKey ?? Buffer.alloc(32, 7);
  const privateKey = keyFromSeed(Buffer.alloc(32, 1));
  const vkeyText = formatVkey(origin, createPublicKey(privateKey));
  const vkey = parseVkey(vkeyText);
  const signer = { name: origin, keyId: vkey.keyId, privateKey };
  const records = raws.map((raw) => encodeRecord({ ...testHead, ...head, raw }));
  const offsets = new Uint32Array(records.length + 1);
  for (const [i, record] of records.entries()) offsets[i + 1] = (offsets[i] ?? 0) + record.length;
  const leaves = batchLeaves(Buffer.concat(records), offsets, batchKey);
  const salts = batchSalts(batchKey, records.length);
  const received = head.received ?? testHead.received;
  const common = {
    committed: micros(received + 400_000),
    prev: { size: 0, sha256: sha256(Buffer.alloc(0)) },
  };
  const batch: BatchEntry = {
    kind: 'batch',
    class: 'default',
    root: treeRoot(leaves),
    lines: records.length,
    earliest: received,
    latest: received,
    segment: { sha256: sha256(Buffer.from('segment')), length: 7 },
    ...common,
  };
  const entries = Array.from({ length: size }, (_, i): Entry =>
    i === index ? batch : { kind: 'heartbeat', ...common, committed: micros(common.committed + i) },
  ).map(encodeEntry);
  const hashes = Buffer.concat(entries.map(leafHash));
  return {
    vkeyText,
    vkey,
    signer,
    batch,
    records,
    prove: (line) => ({
      index,
      line,
      lineCount: records.length,
      salt: salts.subarray(line * saltSize, (line + 1) * saltSize),
      innerPath: inclusionPath(leaves, line),
      entry: encodeEntry(batch),
      record: records[line] ?? Buffer.alloc(0),
      outerPath: inclusionPath(hashes, index),
      checkpoint: signNote(checkpointText(origin, size, treeRoot(hashes)), signer),
    }),
  };
};
