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
const plain = /^[\u0020-\u007e]*$/;

/**
 * A name (host, app, field) fit to be shown, compared and typed into a query: UTF-8, control bytes and bytes that are
 * not UTF-8 as visible escapes.
 */
export const asName = (text: ByteString): ByteString =>
  plain.test(text) ? text : fromText(printable(toBytes(text)));
