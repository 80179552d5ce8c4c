import { z } from 'zod';

/** A name under which a host sends: what its certificate says. At most 64 characters (RFC 5280, ub-common-name). */
export const hostName = z.string().regex(/^(?=.{1,64}$)[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i);

const base64 = z
  .string()
  .max(32_768)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/);
const pem = z.string().max(16_384);
export const serialNumber = z.string().regex(/^[0-9A-F]{1,40}$/);
export const tokenId = z.string().regex(/^[0-9a-f]{16}$/);

/** Body of `POST /enrol`. */
export const enrolRequest = z.strictObject({
  token: tokenId,
  /** PKCS #10, DER. Its common name is the name that the token is for. */
  csr: base64,
  /** Ed25519 signature by the token's key over `enrolStatement`. */
  proof: base64,
});

/** Body of `POST /renew`. */
export const renewRequest = z.strictObject({
  /** What is to be renewed. */
  certificate: pem,
  csr: base64,
  /** Signature (SHA-256) by the key of that certificate over `renewStatement`. */
  proof: base64,
});

/** What a host that is granted one gets back. */
export const certified = z.strictObject({
  name: z.string(),
  serial: serialNumber,
  /** RFC 3339 */
  expires: z.string(),
  certificate: pem,
  authority: pem,
});
export type Certified = z.infer<typeof certified>;

export const refusalCodes = [
  /** No request of this form. */
  'bad-request',
  /** A key that is too weak, or of a kind that is not taken; or the request is not signed by it. */
  'bad-key',
  /** No such token, or the proof is not by it. */
  'unknown-token',
  'used-token',
  'expired-token',
  /** The token is for another host name than the request. */
  'wrong-name',
  /** Not issued here. */
  'unknown-certificate',
  'revoked-certificate',
  'expired-certificate',
  /** The proof is not by the key of the certificate. */
  'bad-proof',
  /** More certificates of that name are valid than anybody needs. */
  'too-many',
  /** Nothing of that name or number that could be revoked. */
  'nothing-to-revoke',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

export const refused = z.strictObject({ error: z.enum(refusalCodes), message: z.string() });

/** Before the body that the receiver passes on: one line of JSON. The receiver can say anything here. */
export const passedOn = z.strictObject({
  path: z.enum(['/enrol', '/renew']),
  /** `HOST:PORT` */
  peer: z.string().max(256),
});

/** What the receiver is to answer. */
export const passedBack = z.strictObject({
  status: z.int().min(200).max(599),
  body: z.string(),
  refused: z.enum(refusalCodes).nullable(),
});

/** What an operator on the log's own host asks for. */
export const operatorRequest = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('token'),
    token: tokenId,
    /** Ed25519, SPKI: of the key that is made of the secret. The secret itself is not told. */
    publicKey: base64,
    name: hostName,
    validSeconds: z
      .int()
      .min(1)
      .max(31 * 86_400),
    by: z.string().max(256),
  }),
  z.strictObject({ kind: z.literal('sign'), name: hostName, csr: base64, by: z.string().max(256) }),
  z.strictObject({
    kind: z.literal('revoke'),
    /** A name (all its certificates and open tokens) or a serial number. */
    which: z.string().min(1).max(256),
    reason: z.string().min(1).max(1024),
    by: z.string().max(256),
  }),
]);
export type OperatorRequest = z.infer<typeof operatorRequest>;

export const operatorAnswer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('token'),
    name: z.string(),
    expires: z.string(),
    fingerprint: z.string(),
  }),
  z.strictObject({ kind: z.literal('certified'), certified }),
  z.strictObject({ kind: z.literal('revoked'), serials: z.array(z.string()), tokens: z.array(z.string()) }),
  z.strictObject({ kind: z.literal('refused'), error: z.enum(refusalCodes), message: z.string() }),
]);
export type OperatorAnswer = z.infer<typeof operatorAnswer>;
