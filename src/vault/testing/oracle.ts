import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  openCheckpoint,
  parseCheckpoint,
  parseHistory,
  parseLock,
  parseVkey,
  type Checkpoint,
} from '#vault/checkpoint';
import { openVault } from '#vault/read';
import { decodeRecord, Framing, type DecodedRecord } from '#vault/record';
import { leafHash, parseBundle, tilePath, tileWidth, treeRoot } from '#vault/tree';
import { VaultError } from '../errors.ts';
import { parsePosition } from '../intake/position.ts';
import { summary, type TestVault } from './test-vault.ts';

/**
 * The whole-tree oracle: called after every step of a test that injects faults. It reads the files for itself and
 * believes nothing that the keeper says.
 *
 * After a death (`died`): verify finds nothing wrong, and every signature that can be found is of a tree that the stored
 * bytes give (a commit that is staged counts: the next start publishes it).
 *
 * After a clean start and an orderly end (`kept`), also: the lines in the vault and those still in intake are exactly
 * the acknowledged ones, in order, none lost, none twice, equal to the byte; nothing is signed that is not published;
 * and nothing lies on disk that does not belong there.
 *
 * Deliveries must be newline-framed.
 * @returns lines in intake that the signer does not remember as taken
 */
export const checkTree = async (
  made: TestVault,
  state: 'died' | 'kept',
  note: string,
): Promise<{ left: number }> => {
  const report = await made.verify();
  assert.equal(summary(report), '', `verify, ${note}`);
  checkSigned(made, state, note);
  if (state === 'died') return { left: linesLeft(made).length };
  assert.equal(report.uncommitted, 0, `uncommitted files, ${note}`);
  assert.equal(report.freshness.signer.says, 'the same', note);
  checkLines(made, note);
  checkNothingLeft(made, note);
  return { left: linesLeft(made).length };
};

/** Every checkpoint with a signature: lock, checkpoint, history. */
const checkSigned = (made: TestVault, state: 'died' | 'kept', note: string): void => {
  const published = parseCheckpoint(made.read('checkpoint'));
  const leaves = storedLeaves(made, published.size);
  const lock = openOwn(made, parseLock(readFileSync(join(made.keys, 'lock'))).note);
  const kept = made
    .files()
    .filter((path) => path.startsWith('history/'))
    .flatMap((path) => parseHistory(made.read(path)).notes)
    .map((bytes) => openOwn(made, bytes));
  for (const checkpoint of [openOwn(made, published.note), lock, ...kept]) {
    if (checkpoint.size > published.size) {
      // Signed, and only staged: verify has shown that the bundle gives it and that the start will publish it.
      assert.equal(state, 'died', `size ${checkpoint.size} is signed and not published, ${note}`);
      assert.ok(
        checkpoint.note.equals(lock.note),
        `two signed checkpoints beyond the published one, ${note}`,
      );
      continue;
    }
    const root = treeRoot(leaves.subarray(0, checkpoint.size * 32));
    assert.ok(root.equals(checkpoint.root), `signed size ${checkpoint.size}: stored bytes differ, ${note}`);
  }
  if (state === 'kept') assert.ok(lock.note.equals(published.note), `lock and checkpoint differ, ${note}`);
};

/** A vault whose key was replaced has signatures of several keys; verify has followed them. */
const openOwn = ({ vkey }: TestVault, note: Buffer): Checkpoint => {
  try {
    return openCheckpoint(note, parseVkey(vkey));
  } catch {
    return parseCheckpoint(note);
  }
};

/** Leaf hashes of the first `size` entries, from the bundles alone. */
const storedLeaves = (made: TestVault, size: number): Buffer => {
  const leaves: Buffer[] = [];
  for (let index = 0; index * tileWidth < size; index++) {
    const width = Math.min(tileWidth, size - index * tileWidth);
    // A crash may have come between the full bundle and the removal of the partial one: only one of them is needed.
    const path = tilePath({ level: 'entries', index, width });
    leaves.push(...parseBundle(made.read(path), width).map(leafHash));
  }
  return Buffer.concat(leaves);
};

const checkLines = (made: TestVault, note: string): void => {
  const found = [...storedLines(made), ...linesLeft(made)];
  const expected = made.acknowledged.flatMap(linesOfDelivery);
  for (const [i, line] of expected.entries())
    assert.ok(found[i] === line || found[i] === gone, `line ${i}: ${found[i]} instead of ${line}, ${note}`);
  assert.equal(found.length, expected.length, `lines twice, ${note}`);
};

/** A line of which an entry says that it was taken out, or that it has expired. */
const gone = 'gone';

/** Every line in the vault but the keeper's own, in order. */
const storedLines = ({ vault }: TestVault): string[] => {
  // Verify has followed the keys: the one that the test knows may have been replaced.
  const reader = openVault(vault);
  const found: string[] = [];
  for (const { index, entry } of reader.entries(0, reader.checkpoint()?.size ?? 0)) {
    if (entry.kind !== 'batch') continue;
    try {
      const { records, offsets, lineCount, redacted } = reader.batch(index, 'root');
      for (let line = 1; line < lineCount; line++) {
        if (redacted.has(line)) found.push(gone);
        else {
          const { record } = decodeRecord(records, offsets[line]);
          if (record.listener !== 'keeper') found.push(identity(record));
        }
      }
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== 'expired') throw error;
      found.push(...Array.from({ length: entry.lines - 1 }, () => gone));
    }
  }
  return found;
};

/** Lines in intake that the signer does not remember as taken. */
const linesLeft = ({ keys, intake }: TestVault): string[] => {
  const position = parsePosition(parseLock(readFileSync(join(keys, 'lock'))).intake);
  return readdirSync(intake)
    .filter((name) => name.endsWith('.intake'))
    .sort()
    .flatMap((name) => {
      const at = position.get(name) ?? 0;
      if (typeof at !== 'number') return [];
      return deliveriesIn(readFileSync(join(intake, name)).subarray(at)).flatMap(linesOfDelivery);
    });
};

const deliveriesIn = (bytes: Buffer): Buffer[] => {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 16 + bytes.readUInt32BE(at + 4) + bytes.readUInt32BE(at + 8);
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
};

/** By hand, not by the code that the keeper splits with. See docs/formats/intake.md. */
const linesOfDelivery = (bytes: Buffer): string[] => {
  const headLength = bytes.readUInt32BE(4);
  const head = Buffer.from(bytes.subarray(16, 16 + headLength));
  head.writeUInt32BE(headLength - 4, 0);
  const { record } = decodeRecord(head, 0);
  assert.equal(record.framing, Framing.newline, 'the oracle knows newline framing alone');
  const lines = bytes
    .subarray(16 + headLength)
    .toString('latin1')
    .split('\n');
  lines.pop();
  return lines.map((raw, i) =>
    identity({
      ...record,
      sequence: record.sequence === 0 ? 0 : record.sequence + i,
      raw: Buffer.from(raw, 'latin1'),
    }),
  );
};

const identity = ({ raw, ...about }: DecodedRecord): string =>
  JSON.stringify(Object.entries(about).sort()) + raw.toString('latin1');

const checkNothingLeft = (made: TestVault, note: string): void => {
  assert.deepEqual(readdirSync(join(made.vault, 'staging')), [], `staging, ${note}`);
  const inKeys = readdirSync(made.keys).filter((name) => name !== 'keeper.lock' && name !== 'requests');
  assert.deepEqual(inKeys.sort(), ['lock', 'signer.key', 'vault.vkey'], `keys, ${note}`);
  const requests = join(made.keys, 'requests');
  const unfinished = existsSync(requests)
    ? readdirSync(requests).filter((name) => name.startsWith('tmp-'))
    : [];
  assert.deepEqual(unfinished, [], `requests, ${note}`);
  // A mark for the receiver may outlive its file; the next start, or the next removal, takes it away.
  const intake = readdirSync(made.intake).filter(
    (name) => !/^\d{12}-[0-9a-f]{8}\.intake(?:\.leave)?$/.test(name),
  );
  assert.deepEqual(intake, [], `intake, ${note}`);
};
