import { z } from 'zod';

const common = {
  /** From 1, without a hole. */
  n: z.int().min(1),
  /** RFC 3339 */
  time: z.string(),
};

const certificate = {
  name: z.string(),
  /** Upper case hexadecimal, as OpenSSL prints it. */
  serial: z.string(),
  issued: z.string(),
  expires: z.string(),
  /** PEM */
  certificate: z.string(),
  /** SHA-256 of the key's SPKI, hexadecimal. */
  publicKey: z.string(),
  /** `HOST:PORT` of whoever asked, as the receiver says; `null`: it was asked here. */
  peer: z.string().nullable(),
};

/** What the authority did: one line of the book, and the same line of the log. */
export const event = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('authority-created'),
    fingerprint: z.string(),
    expires: z.string(),
    certificate: z.string(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('server-certificate-issued'),
    names: z.array(z.string()),
    serial: z.string(),
    expires: z.string(),
    certificate: z.string(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('token-created'),
    token: z.string(),
    name: z.string(),
    expires: z.string(),
    publicKey: z.string(),
    by: z.string(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('token-revoked'),
    token: z.string(),
    name: z.string(),
    reason: z.string(),
    by: z.string(),
  }),
  z.strictObject({
    ...common,
    ...certificate,
    kind: z.literal('certificate-issued'),
    /** Used up by this; `null`: the operator asked for it. */
    token: z.string().nullable(),
    by: z.string().nullable(),
  }),
  z.strictObject({ ...common, ...certificate, kind: z.literal('certificate-renewed'), replaces: z.string() }),
  z.strictObject({
    ...common,
    kind: z.literal('certificate-revoked'),
    name: z.string(),
    serial: z.string(),
    reason: z.string(),
    by: z.string(),
  }),
]);
export type BookEvent = z.infer<typeof event>;

/** Before it has its number and time. */
export type NewEvent = BookEvent extends infer E
  ? E extends BookEvent
    ? Omit<E, 'n' | 'time'>
    : never
  : never;
