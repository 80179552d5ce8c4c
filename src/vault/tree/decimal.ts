/** A non-negative integer in strict decimal: no sign, no leading zero, no space; `null` for anything else. */
export const parseDecimal = (text: string): number | null => {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
};

/** The bytes of canonical, padded base64 (spare bits of the last character zero too); `null` for anything else. */
export const parseBase64 = (text: string): Buffer | null => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
};

/** The 32 bytes that 64 lower-case hexadecimal digits name; `null` for anything else. */
export const parseHash = (text: string): Buffer | null =>
  /^[0-9a-f]{64}$/.test(text) ? Buffer.from(text, 'hex') : null;
