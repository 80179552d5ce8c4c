import { asName, fromText, type ByteString } from './byte-string.ts';

/** Bounds on what is taken from a message: strangers choose how many there are and how long. */
export const mostFields = 64;
export const longestValue = 1024;

const ellipsis = fromText('\u2026');

/** A value of at most 1 KiB; a longer one is cut, not within a character, and ends with `…`. */
export const boundValue = (value: ByteString): ByteString => {
  if (value.length <= longestValue) return value;
  let end = longestValue - ellipsis.length;
  while (end > 0 && (value.charCodeAt(end) & 0xc0) === 0x80) end -= 1;
  return value.slice(0, end) + ellipsis;
};

export type JsonObject = { [name: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const deepest = 6;

/** Scalars of an object with their dotted names, in order, up to `most`; `null` is left out, lists stay JSON. */
export const flatten = (object: JsonObject, most: number): [name: string, value: string][] => {
  const scalars: [string, string][] = [];
  const walk = (value: unknown, name: string, depth: number): void => {
    if (value === null || value === undefined || scalars.length >= most) return;
    if (isObject(value) && depth < deepest) {
      for (const key of Object.keys(value)) {
        if (scalars.length >= most) return;
        walk(value[key], name === '' ? key : `${name}.${key}`, depth + 1);
      }
    } else scalars.push([name, typeof value === 'object' ? asJson(value) : String(value)]);
  };
  walk(object, '', 0);
  return scalars;
};

/** Nested deeper than the stack reaches, it cannot be written again. */
const asJson = (value: object): string => {
  try {
    return JSON.stringify(value);
  } catch {
    return '\u2026';
  }
};

/** Appends scalars whose text is that of a program, not bytes. */
export const pushScalars = (
  fields: ByteString[],
  scalars: readonly [name: string, value: string][],
): void => {
  for (const [name, value] of scalars) fields.push(asName(fromText(name)), boundValue(fromText(value)));
};
