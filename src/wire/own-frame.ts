import type { Hello } from './own.ts';

/**
 * The frames of run/own.sock (own.ts), for those who send. Imports nothing but a type: the publisher's client keeps nothing
 * on disk, the agent's has a spool, and both write the same bytes.
 */

/** u32 length, hello. */
export const encodeHello = (hello: Hello): Buffer => {
  const bytes = Buffer.from(JSON.stringify(hello));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** Bytes of a frame beside its meta and its raw bytes. */
export const ownFrameFixed = 14;

/**
 * Writes u64 sequence, u16 meta length, meta, u32 raw length, raw, big-endian, at an offset.
 * @returns the offset after it
 * @throws RangeError for a meta of more than 65,535 bytes
 */
export const writeOwnFrame = (
  target: Buffer,
  at: number,
  sequence: number,
  meta: Uint8Array,
  raw: Uint8Array,
): number => {
  if (meta.length > 65_535)
    throw new RangeError(`a line's meta is limited to 65,535 bytes, got ${meta.length}`);
  target.writeBigUInt64BE(BigInt(sequence), at);
  target.writeUInt16BE(meta.length, at + 8);
  target.set(meta, at + 10);
  target.writeUInt32BE(raw.length, at + 10 + meta.length);
  target.set(raw, at + ownFrameFixed + meta.length);
  return at + ownFrameFixed + meta.length + raw.length;
};

export const encodeOwnFrame = (sequence: number, meta: Uint8Array, raw: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(ownFrameFixed + meta.length + raw.length);
  writeOwnFrame(frame, 0, sequence, meta, raw);
  return frame;
};

/** Puts acknowledgements together again from what arrives. */
export type Acknowledgements = {
  /** @returns the newest that has come whole by now; `null` where there is none in these bytes */
  push(chunk: Buffer): number | null;
};

export const openAcknowledgements = (): Acknowledgements => {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const whole = bytes.length - (bytes.length % 8);
      rest = bytes.subarray(whole);
      return whole === 0 ? null : Number(bytes.readBigUInt64BE(whole - 8));
    },
  };
};
