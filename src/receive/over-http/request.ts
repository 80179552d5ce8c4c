import type { IncomingMessage } from 'node:http';
import { refusals, type Refusal } from './refusal.ts';

/** What Node's parser takes and nobody should send. */
export const oddity = ({ httpVersion, rawHeaders, headers }: IncomingMessage): Refusal | null => {
  const hosts = rawHeaders.filter((header, n) => n % 2 === 0 && header.toLowerCase() === 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) return refusals.malformed;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refusals.malformed;
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return null;
  if (httpVersion === '1.0') return refusals.malformed;
  return coding.toLowerCase() === 'chunked' ? null : refusals.transferCoding;
};

/** RFC 9112 §3.2: origin form, or absolute form. */
export const targetOf = (url: string): { path: string; query: string } => {
  const origin = url.replace(/^https?:\/\/[^/?]*/i, '');
  const at = origin.indexOf('?');
  const path = (at < 0 ? origin : origin.slice(0, at)).replace(/(?<=.)\/$/, '');
  return { path: path === '' ? '/' : path, query: at < 0 ? '' : origin.slice(at + 1) };
};

/** `null`: the connection is gone, and nothing was refused. */
export const causeOf = (code: string): Refusal | null => {
  if (code === 'HPE_HEADER_OVERFLOW') return refusals.headTooLarge;
  if (code === 'HPE_INVALID_EOF_STATE' || code === 'HPE_CLOSED_CONNECTION') return null;
  return code.startsWith('HPE_') ? refusals.malformed : null;
};
