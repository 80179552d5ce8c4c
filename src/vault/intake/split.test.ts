import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { micros } from '#base/clock';
import { decodeRecord, encodeRecordHead, Flag, Framing, type DecodedRecord } from '#vault/record';
import { encodeDeliveryFixed } from './delivery.ts';
import { parseDelivery, senderNames, type Delivery } from './parse-delivery.ts';
import { maxLines, newLines, splitDelivery, type Lines } from './split.ts';

const head: Omit<DecodedRecord, 'raw'> = {
  flags: 0,
  framing: Framing.newline,
  received: micros(1_778_554_800_000_001),
  sequence: 0,
  listener: 'syslog-tcp=127.0.0.1:5514',
  peer: '192.0.2.7:51234',
  tlsName: 'näme',
  stream: 'st',
  meta: '{"a":1}',
};

const whole = (body: Buffer, other: Partial<typeof head> = {}): Delivery => {
  const encoded = encodeRecordHead({ ...head, ...other });
  const parsed = parseDelivery(Buffer.concat([encodeDeliveryFixed(encoded, body), encoded, body]), 0);
  assert.ok(parsed.kind === 'whole');
  return parsed.delivery;
};

const decode = (lines: Lines): DecodedRecord[] =>
  Array.from(
    { length: lines.count },
    (_, i) => decodeRecord(lines.bytes.subarray(0, lines.used), lines.offsets[i]).record,
  );

const split = (delivery: Delivery): DecodedRecord[] => {
  const lines = newLines();
  const splitting = splitDelivery(delivery);
  splitting.fill(lines);
  assert.ok(splitting.done());
  return decode(lines);
};

const raws = (records: DecodedRecord[]): string[] => records.map((record) => record.raw.toString('latin1'));

describe('splitting a delivery', () => {
  it('nul: NUL goes, LF stays', () => {
    const records = split(whole(Buffer.from('a\nb\0\0c\0last'), { framing: Framing.nul }));
    assert.deepEqual(raws(records), ['a\nb', 'c', 'last']);
    assert.ok(records.every(({ framing }) => framing === Framing.nul));
  });

  it('journal: an entry is a record, the empty line after it goes, and a value may hold anything', () => {
    const value = Buffer.from('\x04\0\0\0\0\0\0\0\n\nA=\n', 'latin1');
    const body = Buffer.concat([Buffer.from('A=1\nB\n'), value, Buffer.from('\n\n\nC=2\nD=3\n')]);
    const records = split(whole(body, { framing: Framing.journal }));
    assert.deepEqual(raws(records), [`A=1\nB\n${value.toString('latin1')}`, 'C=2\nD=3\n']);
    assert.deepEqual(
      records.map(({ flags }) => flags),
      [0, 0],
    );
  });

  it('journal: from where nothing can be walked the rest is one torn record; a part stays what it is', () => {
    const bad = split(whole(Buffer.from('A=1\n\nno field\nC=2\n\n'), { framing: Framing.journal }));
    assert.deepEqual(raws(bad), ['A=1\n', 'no field\nC=2\n\n']);
    assert.deepEqual(
      bad.map(({ flags }) => flags),
      [0, Flag.torn],
    );
    for (const flags of [Flag.part, Flag.torn]) {
      const [part, ...more] = split(whole(Buffer.from('A=1\n\nB=2'), { framing: Framing.journal, flags }));
      assert.equal(part?.raw.toString(), 'A=1\n\nB=2');
      assert.equal(part?.flags, flags);
      assert.equal(more.length, 0);
    }
  });

  it('newline: LF goes, CR and NUL stay, empty lines are none, the last may lack its LF', () => {
    const records = split(whole(Buffer.from('a\r\n\nb\0\xff\n\nlast', 'latin1')));
    assert.deepEqual(raws(records), ['a\r', 'b\0\xff', 'last']);
    for (const record of records) {
      const { raw, ...rest } = record;
      assert.ok(raw.length > 0);
      assert.deepEqual(rest, head);
    }
  });
  it('counts on from the sequence number of the delivery, also beyond 32 bits', () => {
    const records = split(whole(Buffer.from('a\nb\nc\n'), { sequence: 2 ** 32 - 1, flags: Flag.backfill }));
    assert.deepEqual(
      records.map((record) => record.sequence),
      [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1],
    );
    assert.deepEqual(
      records.map((record) => record.flags),
      [Flag.backfill, Flag.backfill, Flag.backfill],
    );
  });
  it('octet counting: the count goes, LF within stays, a short last frame keeps what is there', () => {
    const records = split(whole(Buffer.from('3 a\nb0 5 hello9 short'), { framing: Framing.octetCounted }));
    assert.deepEqual(raws(records), ['a\nb', '', 'hello', 'short']);
  });
  it('octet counting: what is no frame becomes one torn record, and nothing is dropped', () => {
    const records = split(whole(Buffer.from('1 axyz 5'), { framing: Framing.octetCounted }));
    assert.deepEqual(raws(records), ['a', 'xyz 5']);
    assert.deepEqual(
      records.map((record) => record.flags),
      [0, Flag.torn],
    );
  });
  it('relp: header and trailer go, LF within stays, a short last frame keeps what is there', () => {
    const body = Buffer.from('7 syslog 3 a\nb\n8 syslog 0\n999999999 syslog 5 hello\n1 syslog 9 short');
    const records = split(whole(body, { framing: Framing.relp }));
    assert.deepEqual(raws(records), ['a\nb', '', 'hello', 'short']);
    assert.ok(records.every(({ flags, framing }) => flags === 0 && framing === Framing.relp));
  });
  it('relp: what is no frame becomes one torn record, and nothing is dropped', () => {
    for (const bad of ['xyz', '2 syslog', '2 syslog x y\n', `2 ${'s'.repeat(80)} 1 x\n`]) {
      const records = split(whole(Buffer.from(`1 syslog 1 a\n${bad}`), { framing: Framing.relp }));
      assert.deepEqual(raws(records), ['a', bad]);
      assert.equal(records[1]?.flags, Flag.torn);
    }
  });
  it('datagrams: each is a record of its own, an empty one too', () => {
    const body = Buffer.from('\0\x04a\nb\n\0\0\0\x01c', 'latin1');
    const records = split(whole(body, { framing: Framing.datagrams }));
    assert.deepEqual(raws(records), ['a\nb\n', '', 'c']);
    assert.ok(records.every(({ flags, framing }) => flags === 0 && framing === Framing.datagram));
  });
  it('datagrams: what is no frame becomes one torn record, and nothing is dropped', () => {
    for (const bad of ['\0', '\0\x05four', '\xff\xff']) {
      const body = Buffer.from(`\0\x01a${bad}`, 'latin1');
      const records = split(whole(body, { framing: Framing.datagrams }));
      assert.deepEqual(
        records.map(({ raw, flags }) => [raw.toString('latin1'), flags]),
        [
          ['a', 0],
          [bad, Flag.torn],
        ],
      );
    }
  });
  it('a datagram is one record, an empty one too', () => {
    assert.deepEqual(raws(split(whole(Buffer.from('a\nb\n'), { framing: Framing.datagram }))), ['a\nb\n']);
    assert.deepEqual(raws(split(whole(Buffer.alloc(0), { framing: Framing.datagram }))), ['']);
    assert.deepEqual(raws(split(whole(Buffer.alloc(0)))), []);
  });
  it('own framing: every frame brings its number and meta', () => {
    const frame = (sequence: number, meta: string, raw: string): Buffer => {
      const bytes = Buffer.alloc(14 + meta.length + raw.length);
      bytes.writeBigUInt64BE(BigInt(sequence), 0);
      bytes.writeUInt16BE(meta.length, 8);
      bytes.write(meta, 10);
      bytes.writeUInt32BE(raw.length, 10 + meta.length);
      bytes.write(raw, 14 + meta.length);
      return bytes;
    };
    const body = Buffer.concat([frame(41, '{"via":"file"}', 'one'), frame(42, '', ''), Buffer.from('??')]);
    const records = split(whole(body, { framing: Framing.own, sequence: 41 }));
    assert.deepEqual(
      records.slice(0, 2).map(({ sequence, meta, raw }) => [sequence, meta, raw.toString()]),
      [
        [41, '{"via":"file"}', 'one'],
        [42, '', ''],
      ],
    );
    assert.deepEqual([records[2]?.flags, records[2]?.raw.toString()], [Flag.torn, '??']);
  });
  it('stops where the batch is full and goes on in the next one', () => {
    const count = maxLines * 2 + 10;
    const splitting = splitDelivery(whole(Buffer.from('x\n'.repeat(count)), { sequence: 1 }));
    const lines = newLines();
    const numbers: number[] = [];
    while (!splitting.done()) {
      assert.ok(splitting.fill(lines) > 0);
      assert.ok(lines.count <= maxLines && lines.used < 4 * 1024 * 1024 + 200);
      for (const record of decode(lines)) numbers.push(record.sequence);
      lines.used = 0;
      lines.count = 0;
    }
    assert.equal(numbers.length, count);
    assert.ok(numbers.every((number, i) => number === i + 1));
  });
  it('takes a line that is longer than a batch', () => {
    const long = Buffer.alloc(9 * 1024 * 1024, 'y');
    const [record] = split(whole(long, { framing: Framing.datagram }));
    assert.ok(record?.raw.equals(long));
  });
  it('names the sender as the head has it', () => {
    const { sender } = whole(Buffer.from('a\n'));
    assert.deepEqual(senderNames(sender), {
      listener: head.listener,
      peer: head.peer,
      tlsName: 'näme',
      stream: 'st',
    });
  });
});

describe('parsing a delivery', () => {
  const encoded = encodeRecordHead(head);
  const body = Buffer.from('a\n');
  const bytes = Buffer.concat([encodeDeliveryFixed(encoded, body), encoded, body]);
  it('waits for what is not there yet', () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(parseDelivery(bytes.subarray(0, length), 0).kind, 'incomplete', `${length}`);
    }
  });
  it('refuses each single flipped bit, and never throws', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] ?? 0) ^ (1 << bit);
        assert.notEqual(parseDelivery(copy, 0).kind, 'whole', `byte ${at} bit ${bit}`);
      }
    }
  });
});
