/** Bytes. Of a field whose token would be longer there is but the token of its name. */
const longest = 64;

/** Stands in no name: control bytes there are shown as escapes (parse/byte-string.ts). */
const between = '\t';

/**
 * The tokens of a row's fields, for the index of them: of each field its name, and its name with its value, in small
 * letters as far as they are ASCII.
 */
export const fieldTokensSql = `arrayConcat(arrayMap(name -> concat(name, '\\t'), mapKeys(fields)), arrayFilter(token -> length(token) <= ${longest}, arrayMap((name, value) -> concat(name, '\\t', lower(value)), mapKeys(fields), mapValues(fields))))`;

/** The token of all fields of that name. */
export const fieldNameToken = (name: string): string => `${name}${between}`;

/**
 * The token of the fields of that name whose value is this one but for capitals; `null` where there is none, or where
 * others have it too.
 * @param value of no more than letters, digits and signs of ASCII
 */
export const fieldToken = (name: string, value: string): string | null => {
  const token = `${name}${between}${value.toLowerCase()}`;
  return Buffer.byteLength(token) <= longest ? token : null;
};
