import { Damage } from './part.ts';

/** One field of a message: its number, and its value by wire type. */
export type WireField = {
  number: number;
  /** Wire types 0 (varint), 1 (64 bits) and 5 (32 bits); 0 for the others. */
  bits: bigint;
  /** Wire type 2: bytes, text, or a message; a view. */
  bytes: Buffer;
};

const nothing = Buffer.alloc(0);

/**
 * Fields of a protobuf message in their order (https://protobuf.dev/programming-guides/encoding/). Groups, which nothing
 * uses any more, are damage.
 * @throws Damage
 */
export function* fieldsOf(message: Buffer): Generator<WireField> {
  let at = 0;

  const varint = (): bigint => {
    let low = 0;
    for (let taken = 0; taken < 4; taken += 1) {
      const byte = message[at];
      if (byte === undefined) throw damaged();
      at += 1;
      low += (byte & 0x7f) * 2 ** (7 * taken);
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let taken = 4; taken < 10; taken += 1) {
      const byte = message[at];
      if (byte === undefined) throw damaged();
      at += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * taken);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw damaged();
  };

  while (at < message.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    if (number === 0) throw damaged();
    switch (tag % 8) {
      case 0:
        yield { number, bits: varint(), bytes: nothing };
        break;
      case 1:
        if (at + 8 > message.length) throw damaged();
        at += 8;
        yield { number, bits: message.readBigUInt64LE(at - 8), bytes: nothing };
        break;
      case 2: {
        const length = Number(varint());
        if (at + length > message.length) throw damaged();
        at += length;
        yield { number, bits: 0n, bytes: message.subarray(at - length, at) };
        break;
      }
      case 5:
        if (at + 4 > message.length) throw damaged();
        at += 4;
        yield { number, bits: BigInt(message.readUInt32LE(at - 4)), bytes: nothing };
        break;
      default:
        throw damaged();
    }
  }
}

const damaged = (): Damage => new Damage('it is no such protobuf message, or one that was cut short');
