import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHello, encodeOwnFrame, openAcknowledgements, writeOwnFrame } from './own-frame.ts';

test('the bytes are those of own.ts', () => {
  assert.equal(
    encodeHello({ sender: 'a', stream: 'b' }).toString('latin1'),
    `\0\0\0\u001b${JSON.stringify({ sender: 'a', stream: 'b' })}`,
  );
  const frame = encodeOwnFrame(258, Buffer.from('{}'), Buffer.from('raw'));
  assert.equal(frame.toString('hex'), '000000000000010200027b7d00000003726177');
  const target = Buffer.alloc(frame.length + 2);
  assert.equal(writeOwnFrame(target, 2, 258, Buffer.from('{}'), Buffer.from('raw')), target.length);
  assert.deepEqual(target.subarray(2), frame);
  assert.throws(() => encodeOwnFrame(1, Buffer.alloc(65_536), Buffer.alloc(0)), RangeError);
});

test('acknowledgements are put together however they are cut', () => {
  const bytes = Buffer.alloc(24);
  [1, 7, 300].forEach((through, i) => bytes.writeBigUInt64BE(BigInt(through), i * 8));
  const whole = openAcknowledgements();
  assert.equal(whole.push(bytes), 300);
  const cut = openAcknowledgements();
  const heard = [...bytes].map((byte) => cut.push(Buffer.from([byte])));
  assert.deepEqual(
    heard.filter((through) => through !== null),
    [1, 7, 300],
  );
});
