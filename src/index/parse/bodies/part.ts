import { fromBytes, fromText, type ByteString } from '../byte-string.ts';
import { plainText, type ParseContext, type Parsed } from '../parsed.ts';
import { readPayload } from '../payload.ts';

/** One line of a body that carries many. */
export type Part = {
  /** What stands for this line in the body; the body itself where it is one line. */
  bytes: Buffer;
  /** The same as a byte string, which `parsed` tells places in. */
  raw: ByteString;
  parsed: Parsed;
};

/** Takes a body apart, one line at a time, so that whoever asks may stop. @throws Damage where it cannot be read on */
export type Reader = (bytes: Buffer, context: ParseContext) => Iterable<Part>;

/** Why a body, or the rest of it, is not taken apart. Never leaves this folder. */
export class Damage extends Error {}

/** A line of text that is the whole part. */
export const textPart = (bytes: Buffer): Part => {
  const raw = fromBytes(bytes);
  return { bytes, raw, parsed: plainText(raw) };
};

/**
 * What could not be taken apart: found by `undecoded=*`, with what is known of it as its message. Of a body as a whole
 * `bytes` are the body; of the rest of one there are none.
 */
export const undecoded = (reason: string, what: string, bytes: Buffer | null): Part => {
  const message = fromText(`${what}: ${reason}`);
  const raw = bytes === null ? message : fromBytes(bytes);
  return {
    bytes: bytes ?? Buffer.from(message, 'latin1'),
    raw,
    parsed: {
      ...plainText(raw),
      message: bytes === null ? null : message,
      fields: ['undecoded', fromText(reason)],
    },
  };
};

/** Takes the fields out of a message that need not be a slice of the line. */
export const lookInto = (message: ByteString, parsed: Parsed): void => {
  const inner: Parsed = { ...parsed, message: null, messageStart: 0, messageEnd: message.length };
  readPayload(message, inner);
  parsed.claimed = inner.claimed;
  parsed.severity = inner.severity;
  parsed.pid = inner.pid;
};
