import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * RFC 3161 time stamps, as far as a client needs them: the request is written here, of the response the status is read,
 * and that the token speaks of this request. Whether an authority that one trusts signed it is for `openssl ts -verify` to
 * say, now or in ten years.
 */
export type TimestampQuery = {
  /** DER of a TimeStampReq (RFC 3161 §2.4.1): SHA-256, a nonce, and the wish for the authority's certificate. */
  query: Buffer;
  imprint: Buffer;
  nonce: Buffer;
};

const sequence = 0x30;
const integer = 0x02;
const octetString = 0x04;
const nullValue = Buffer.from([0x05, 0x00]);
const booleanTrue = Buffer.from([0x01, 0x01, 0xff]);
/** OBJECT IDENTIFIER 2.16.840.1.101.3.4.2.1, id-sha256. */
const sha256Oid = Buffer.from('0609608648016503040201', 'hex');

/** @param random 8 bytes */
export const timestampQuery = (bytes: Buffer, random: Buffer): TimestampQuery => {
  const imprint = createHash('sha256').update(bytes).digest();
  // A positive INTEGER in its shortest form: the first bit clear, the first byte not zero.
  const nonce = Buffer.from(random);
  nonce[0] = ((nonce[0] ?? 0) & 0x3f) | 0x40;
  const query = der(
    sequence,
    der(integer, Buffer.from([1])),
    der(sequence, der(sequence, sha256Oid, nullValue), der(octetString, imprint)),
    der(integer, nonce),
    booleanTrue,
  );
  return { query, imprint, nonce };
};

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  // Nothing here is longer than the short form can say.
  if (content.length > 127) throw new RangeError('longer than a time stamp query ever is');
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
};

/** Bytes that a response may have: a token with a few certificates. */
export const maxResponse = 64 * 1024;

/**
 * The time stamp token (DER of a ContentInfo) in a TimeStampResp.
 * @throws Error says what is wrong: another status than granted, or a token that is not about this query
 */
export const tokenOf = (response: Buffer, { imprint, nonce }: TimestampQuery): Buffer => {
  const outer = readDer(response, 0);
  if (outer.tag !== sequence || outer.next !== response.length)
    throw new Error('no DER of a time stamp response');
  const info = readDer(response, outer.start);
  const status = readDer(response, info.start);
  if (info.tag !== sequence || status.tag !== integer)
    throw new Error('no status in the time stamp response');
  const code = response.subarray(status.start, status.next);
  // 0 granted, 1 granted with modifications (RFC 3161 §2.4.2)
  if (code.length !== 1 || (code[0] ?? 2) > 1)
    throw new Error(`the authority refuses: PKIStatus ${code.toString('hex')}`);
  if (info.next >= outer.next) throw new Error('granted, and no token');
  const token = readDer(response, info.next);
  const bytes = response.subarray(info.next, token.next);
  if (token.tag !== sequence || token.next !== outer.next || !holds(bytes, imprint) || !holds(bytes, nonce))
    throw new Error('the token is about something else than what was asked');
  return bytes;
};

const holds = (bytes: Buffer, part: Buffer): boolean => {
  const at = bytes.indexOf(part);
  return at >= 0 && timingSafeEqual(bytes.subarray(at, at + part.length), part);
};

/** One element: its tag, where its content starts and where it ends. */
const readDer = (bytes: Buffer, at: number): { tag: number; start: number; next: number } => {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new Error('the response ends within an element');
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || count > 4 || at + 2 + count > bytes.length) throw new Error('no DER length');
  const length = count === 0 ? first : bytes.readUIntBE(at + 2, count);
  const start = at + 2 + count;
  if (start + length > bytes.length) throw new Error('an element leaves the response');
  return { tag, start, next: start + length };
};
