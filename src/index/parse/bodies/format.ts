export const bodyFormats = ['otlp', 'loki', 'bulk', 'jsonl', 'gelf', 'journal'] as const;
export type BodyFormat = (typeof bodyFormats)[number];

/** What the receiver says of a body (src/receive/over-http/body-meta.ts). */
export type BodyMeta = {
  format: BodyFormat;
  /** Content-Type; `''` = none was given. */
  type: string;
  /** Content-Encoding, in lower case. */
  encoding: string;
  /** Idempotency-Key; `''` = none was given. */
  key: string;
};
