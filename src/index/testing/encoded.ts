/** Protobuf and snappy as a client writes them, byte by byte, so that tests hang on no library of anybody's. */

export const varint = (value: number | bigint): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
};

export const integer = (field: number, value: number | bigint): Buffer =>
  Buffer.concat([varint(field * 8), varint(value)]);

export const fixed64 = (field: number, value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint(field * 8 + 1), bytes]);
};

export const double = (field: number, value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), bytes]);
};

/** Text, bytes, or a message made of its fields. */
export const bytes = (field: number, ...value: (string | Buffer)[]): Buffer => {
  const all = Buffer.concat(value.map((one) => Buffer.from(one)));
  return Buffer.concat([varint(field * 8 + 2), varint(all.length), all]);
};

/** An OTLP attribute with a text as its value. */
export const attribute = (field: number, name: string, value: string): Buffer =>
  bytes(field, bytes(1, name), bytes(2, bytes(1, value)));

/** A snappy block that is all literal. */
export const snappyLiteral = (text: Buffer): Buffer => {
  const pieces: Buffer[] = [varint(text.length)];
  for (let at = 0; at < text.length; at += 60)
    pieces.push(Buffer.from([(Math.min(60, text.length - at) - 1) << 2]), text.subarray(at, at + 60));
  return Buffer.concat(pieces);
};
