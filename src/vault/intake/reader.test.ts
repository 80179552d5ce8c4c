import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { encodeRecordHead, Framing } from '#vault/record';
import { micros } from '#base/clock';
import { encodeDeliveryFixed } from './delivery.ts';
import { formatPosition, parsePosition, type FilePosition } from './position.ts';
import { openIntakeReader, type IntakePiece } from './reader.ts';

const head = encodeRecordHead({
  flags: 0,
  framing: Framing.newline,
  received: micros(1),
  sequence: 0,
  listener: 'l',
  peer: 'p',
  tlsName: '',
  stream: '',
  meta: '',
});
const delivery = (body: string): Buffer =>
  Buffer.concat([encodeDeliveryFixed(head, Buffer.from(body)), head, Buffer.from(body)]);

const [first, second] = ['000000000001-0000000a.intake', '000000000002-0000000b.intake'];

const intake = (t: TestContext, position = new Map<string, FilePosition>()) => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-intake-'));
  const reader = openIntakeReader({ dir, position });
  t.after(async () => {
    await reader.close();
    rmSync(dir, { recursive: true });
  });
  /** Everything that can be had now. Asks again a few times, as a keeper's polling does. */
  const drain = async (): Promise<string[]> => {
    const seen: string[] = [];
    for (let quiet = 0; quiet < 8;) {
      const piece = await reader.next();
      if (piece === null) quiet += 1;
      else seen.push(describePiece(piece));
    }
    return seen;
  };
  return { dir, drain };
};

const describePiece = (piece: IntakePiece): string => {
  if (piece.kind === 'deliveries') return piece.deliveries.map(({ body }) => body.toString()).join('');
  return piece.kind === 'lost'
    ? `lost ${piece.bytes}: ${piece.cause}`
    : `${piece.state} ${piece.file.slice(0, 12)}`;
};

describe('intake reader', () => {
  it('follows the newest file as it grows, delivery by delivery', async (t) => {
    const { dir, drain } = intake(t);
    assert.deepEqual(await drain(), []);
    const bytes = delivery('a\n');
    writeFileSync(join(dir, first), bytes.subarray(0, 20));
    assert.deepEqual(await drain(), []);
    appendFileSync(join(dir, first), bytes.subarray(20));
    assert.deepEqual(await drain(), ['a\n']);
    appendFileSync(join(dir, first), Buffer.concat([delivery('b\n'), delivery('c\n')]));
    assert.deepEqual(await drain(), ['b\nc\n']);
  });
  it('finishes a file once a newer one is there, and goes on with that', async (t) => {
    const { dir, drain } = intake(t);
    writeFileSync(join(dir, first), delivery('a\n'));
    assert.deepEqual(await drain(), ['a\n']);
    writeFileSync(join(dir, second), delivery('b\n'));
    assert.deepEqual(await drain(), ['done 000000000001', 'b\n']);
  });
  it('begins where the position says, and leaves out what is done', async (t) => {
    const a = delivery('a\n');
    const position = new Map<string, FilePosition>([
      [first, 'done'],
      [second, a.length],
    ]);
    const { dir, drain } = intake(t, position);
    writeFileSync(join(dir, first), delivery('old\n'));
    writeFileSync(join(dir, second), Buffer.concat([a, delivery('b\n')]));
    assert.deepEqual(await drain(), ['b\n']);
  });
  it('says what a crash tore off, and only when nothing can be added any more', async (t) => {
    const { dir, drain } = intake(t);
    const torn = delivery('torn\n').subarray(0, 30);
    writeFileSync(join(dir, first), Buffer.concat([delivery('a\n'), torn]));
    assert.deepEqual(await drain(), ['a\n']);
    writeFileSync(join(dir, second), '');
    assert.deepEqual(await drain(), ['lost 30: torn intake', 'done 000000000001']);
  });
  it('does not call lost what the receiver has taken back', async (t) => {
    const { dir, drain } = intake(t);
    writeFileSync(join(dir, first), delivery('a\n').subarray(0, 30));
    assert.deepEqual(await drain(), []);
    truncateSync(join(dir, first), 0);
    writeFileSync(join(dir, second), '');
    assert.deepEqual(await drain(), ['done 000000000001']);
  });
  it('skips one damaged delivery where the next one shows its length to be right', async (t) => {
    const { dir, drain } = intake(t);
    const damaged = delivery('damaged\n');
    damaged[damaged.length - 2] = 0;
    writeFileSync(join(dir, first), Buffer.concat([delivery('a\n'), damaged, delivery('c\n')]));
    assert.deepEqual(await drain(), ['a\n', `lost ${damaged.length}: damaged intake`, 'c\n']);
  });
  it('gives up a file whose lengths are damaged, from there to its end', async (t) => {
    const { dir, drain } = intake(t);
    const damaged = delivery('damaged\n');
    damaged[0] = 0;
    writeFileSync(join(dir, first), Buffer.concat([delivery('a\n'), damaged, delivery('c\n')]));
    assert.deepEqual(await drain(), ['a\n']);
    writeFileSync(join(dir, second), delivery('d\n'));
    assert.deepEqual(await drain(), [
      `lost ${damaged.length + delivery('c\n').length}: damaged intake`,
      'damaged 000000000001',
      'd\n',
    ]);
  });
  it('calls a whole but damaged last delivery damaged, not torn', async (t) => {
    const { dir, drain } = intake(t);
    const damaged = delivery('damaged\n');
    damaged[damaged.length - 1] = 0;
    writeFileSync(join(dir, first), damaged);
    writeFileSync(join(dir, second), '');
    assert.deepEqual(await drain(), [`lost ${damaged.length}: damaged intake`, 'damaged 000000000001']);
  });
  it('reads what is larger than its buffer', async (t) => {
    const { dir, drain } = intake(t);
    const body = `${'x'.repeat(9 * 1024 * 1024)}\n`;
    writeFileSync(join(dir, first), Buffer.concat([delivery('a\n'), delivery(body), delivery('b\n')]));
    assert.equal((await drain()).join(''), `a\n${body}b\n`);
  });
});

describe('intake position', () => {
  it('comes back as it was, and what is unknown is not guessed at', () => {
    const position = new Map<string, FilePosition>([
      [first, 'done'],
      [second, 4711],
    ]);
    assert.deepEqual(parsePosition(formatPosition(position)), position);
    assert.deepEqual(parsePosition('created 2026-05-12T03:00:00.000000Z\n'), new Map());
    for (const text of ['reading x 1\n', `reading ${first} -1\n`, `gone ${first}\n`])
      assert.throws(() => parsePosition(text));
  });
});
