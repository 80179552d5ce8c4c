/**
 * Log text made safe to print: control bytes (C0 except tab, DEL, C1), bidirectional overrides and bytes that are
 * not UTF-8 come out as visible escapes (`\x1b`, `\u202e`), so that no line can drive the reader's terminal.
 * The mapping is for display only; the exact bytes stay available as `raw`.
 */
export const printable = (bytes: Uint8Array | string): string => {
  const text = typeof bytes === 'string' ? bytes : decode(bytes);
  return text.replace(unsafe, escape);
};

const unsafe = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const escape = (character: string): string => {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
};

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const decode = (bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes);
  } catch {
    return decodePiecewise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
};

/** Valid UTF-8 sequences are kept; each other byte becomes `\xNN`. Slow path: only for lines that are not UTF-8. */
const decodePiecewise = (bytes: Buffer): string => {
  let out = '';
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i] ?? 0;
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0;
    if (length > 0 && i + length <= bytes.length) {
      try {
        out += strict.decode(bytes.subarray(i, i + length));
        i += length;
        continue;
      } catch {
        // not a whole sequence: escape its first byte below
      }
    }
    out += `\\x${lead.toString(16).padStart(2, '0')}`;
    i += 1;
  }
  return out;
};
