import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { addCheckpoint } from './answer.ts';
import { maxSubmission } from './submission.ts';
import { cosignedSize, serve } from './testing/served-witness.ts';

describe('strangers', () => {
  it('cannot bring more than fits, wait for ever, or break it', async (t) => {
    const { log, post, get, server } = await serve(t, { headersMs: 1000, requestMs: 1000 });
    assert.equal((await post(Buffer.alloc(maxSubmission + 1, 0x61))).status, 413);
    const raw = async (text: string): Promise<string> => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      let came = '';
      socket.on('data', (bytes) => (came += bytes.toString()));
      socket.write(text);
      await once(socket, 'close');
      return came;
    };
    assert.match(
      await raw('POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nold'),
      /^HTTP\/1\.1 408/,
    );
    assert.match(await raw('GET / HTTP/1.1\r\n'), /^HTTP\/1\.1 40[08]/);
    assert.match(await raw('\u0000\u0001\r\n\r\n'), /^HTTP\/1\.1 400/);
    assert.match(await raw(`GET / HTTP/1.1\r\nx: ${'y'.repeat(9000)}\r\n\r\n`), /^HTTP\/1\.1 4/);
    const endless = `POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${`1000\r\n${'z'.repeat(4096)}\r\n`.repeat(4)}`;
    assert.match(await raw(endless), /^HTTP\/1\.1 413/);
    assert.equal(await raw('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'), '');
    assert.equal((await get('/add-checkpoint')).status, 405);
    assert.equal((await post(log.submission(0, 3))).status, 200);
  });

  it('cannot make it cosign anything by changing bytes of a right request', async (t) => {
    const { log, witness, post } = await serve(t);
    await post(log.submission(0, 3));
    const right = log.submission(3, 9);
    const random = generator(20_260_512);
    const seeds = process.env['HOLDFAST_TEST_FULL'] === '1' ? 20_000 : 3000;
    const seen = new Set<number>();
    for (let seed = 0; seed < seeds; seed++) {
      const body = mutated(right, random);
      if (body.equals(right)) continue;
      const { status } = await addCheckpoint(witness, body);
      seen.add(status);
      assert.ok([400, 403, 404, 409, 422].includes(status), `seed ${seed}: ${status}`);
    }
    assert.ok(seen.size >= 4, [...seen].join(' '));
    assert.equal(cosignedSize(witness, log), 3);
    assert.equal((await post(right)).status, 200);
  });
});

/** mulberry32: the same numbers each time. */
const generator = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

const mutated = (bytes: Buffer, random: (below: number) => number): Buffer => {
  const copy = Buffer.from(bytes);
  const at = random(copy.length);
  const length = 1 + random(40);
  switch (random(5)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + length))]);
    case 3: {
      const noise = Buffer.from(Array.from({ length }, () => random(256)));
      return Buffer.concat([copy.subarray(0, at), noise, copy.subarray(at)]);
    }
    default:
      // A line of the proof, or of the note, a second time.
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.max(0, at - 45))]);
  }
};
