/** An attribute: its value is a scalar, a list or an object, as JSON has them. */
export type Attribute = readonly [name: string, value: unknown];

export type OtlpSource = {
  resource: readonly Attribute[];
  scope: { name: string; version: string; attributes: readonly Attribute[] };
};

/** A LogRecord, whichever encoding it came in. Times are decimal nanoseconds of the epoch, `0` = none. */
export type OtlpRecord = {
  time: string;
  observed: string;
  severityNumber: number;
  severityText: string;
  body: unknown;
  attributes: readonly Attribute[];
  /** Lower-case hexadecimal, `''` = none. */
  traceId: string;
  spanId: string;
  eventName: string;
};

/** Values nest; beyond this they are left out. */
export const deepest = 16;

/** `Object.fromEntries`, with names that may be `__proto__`. */
export const objectOf = (attributes: readonly Attribute[]): Record<string, unknown> =>
  Object.fromEntries(attributes);
