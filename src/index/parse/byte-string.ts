import { printable } from '#base/printable';

/**
 * Bytes as a string with one character per byte, U+0000 to U+00FF (WebIDL calls this a ByteString). Scanning and
 * slicing it is as fast as on a Buffer, slices cost no copy, and bytes that are not UTF-8 survive.
 */
export type ByteString = string;

export const fromBytes = (bytes: Buffer): ByteString => bytes.toString('latin1');

export const toBytes = (text: ByteString): Buffer => Buffer.from(text, 'latin1');

/** A text's UTF-8 bytes. */
export const fromText = (text: string): ByteString =>
  ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');

const ascii = /^[\u0000-\u007f]*$/;

/** As an expression, it would take longer for what names usually are. */
const isPlain = (text: ByteString): boolean => {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 32 || code > 126) return false;
  }
  return true;
};

/** RFC 5424 allows a host name of 255 bytes, which is more than any other name may have. */
const longestName = 255;

/**
 * A name (host, app, field) fit to be shown, compared and typed into a query: UTF-8, control bytes and bytes that are
 * not UTF-8 as visible escapes. One of more than 255 bytes is cut there and ends with `…`; the line keeps it whole.
 */
export const asName = (text: ByteString): ByteString => {
  if (text.length <= longestName && isPlain(text)) return text;
  const shown = fromText(printable(toBytes(text.slice(0, longestName + 1))));
  return shown.length <= longestName ? shown : cut(shown);
};

const ellipsis = fromText('\u2026');

/** Not within a character: its later bytes are 10xxxxxx. */
const cut = (text: ByteString): ByteString => {
  let end = longestName - ellipsis.length;
  while (end > 0 && (text.charCodeAt(end) & 0xc0) === 0x80) end -= 1;
  return text.slice(0, end) + ellipsis;
};
