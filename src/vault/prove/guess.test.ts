import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { leafHash, nodeHash, saltSize } from '#vault/tree';
import { newProofLog } from '../testing/proof-log.ts';
import { encodeLineProof, parseLineProof, type LineProof } from './line-proof.ts';

/**
 * Somebody holds the proof of one line, knows every byte of its neighbour but a PIN of four digits, and tries all
 * 10,000. Each guess is turned into every hash that it could be in the path, and compared with the path.
 */
const pins = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(4, '0'));

const line = (pin: string): Buffer => Buffer.from(`<86>May 12 03:00:00 gate door: PIN ${pin} accepted`);

const secret = '4711';

/** Line 2 is the reader's own, line 3 its neighbour: the first hash of the path is the neighbour's leaf. */
const built = newProofLog({
  raws: [Buffer.from('{"kind":"manifest"}'), line('1111'), Buffer.from('<86>mine'), line(secret)],
  size: 2,
  index: 1,
  batchKey: Buffer.from('5f'.repeat(32), 'hex'),
});

/** The neighbour's record as the reader can write it: the head is that of the reader's own line. */
const recordOf = (own: Buffer, raw: Buffer): Buffer => {
  const head = own.subarray(0, own.length - '<86>mine'.length);
  const record = Buffer.concat([head, raw]);
  record.writeUInt32BE(record.length - 4, 0);
  return record;
};

/** The PINs that the path confirms. @param leafOf the leaf that a record would have */
const confirmed = ({ record, innerPath }: LineProof, leafOf: (record: Buffer) => Buffer): string[] =>
  pins.filter((pin) => {
    const leaf = leafOf(recordOf(record, line(pin)));
    const nodes = [leaf, nodeHash(leaf, leaf), nodeHash(leafOf(record), leaf)];
    return innerPath.some((hash) => nodes.some((node) => node.equals(hash)));
  });

describe('the proof of a line', () => {
  const proof = parseLineProof(encodeLineProof(built.prove(2)));

  it('does not let its reader confirm a guess at the neighbouring line', () => {
    const guessers: readonly ((record: Buffer) => Buffer)[] = [
      // Without a salt, with the salt that the proof shows, and with the nearest to it.
      leafHash,
      (record) => leafHash(Buffer.concat([proof.salt, record])),
      (record) => leafHash(Buffer.concat([Buffer.alloc(saltSize), record])),
      (record) => leafHash(Buffer.concat([plusOne(proof.salt), record])),
    ];
    for (const leafOf of guessers) assert.deepEqual(confirmed(proof, leafOf), []);
  });

  it('would, if its reader knew the neighbour’s salt: the guesses above are the right ones', () => {
    const { salt } = built.prove(3);
    assert.deepEqual(
      confirmed(proof, (record) => leafHash(Buffer.concat([salt, record]))),
      [secret],
    );
  });

  it('would, if leaves had no salt', () => {
    const leaves = built.records.map((record) => leafHash(record));
    const [first = Buffer.alloc(32), second = Buffer.alloc(32), , neighbour = Buffer.alloc(32)] = leaves;
    const unsalted = { ...proof, innerPath: [neighbour, nodeHash(first, second)] };
    assert.deepEqual(confirmed(unsalted, leafHash), [secret]);
  });

  it('shows no salt but its own', () => {
    const text = encodeLineProof(built.prove(2));
    const inner = Buffer.from(/^extra (.*)$/m.exec(text.toString())?.[1] ?? '', 'base64');
    for (const other of [0, 1, 3]) {
      const { salt } = built.prove(other);
      assert.equal(inner.indexOf(salt), -1);
      assert.equal(inner.indexOf(salt.toString('hex')), -1);
    }
    assert.ok(inner.includes(built.prove(2).salt.toString('hex')));
  });
});

const plusOne = (salt: Buffer): Buffer => {
  const next = Buffer.from(salt);
  next[saltSize - 1] = ((next[saltSize - 1] ?? 0) + 1) % 256;
  return next;
};
