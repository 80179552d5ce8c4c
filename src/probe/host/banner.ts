import { printable } from '#base/printable';

/** What an answer says of itself. */
export type Said = { service: string | null; banner: string | null };

/** Bytes of an answer that are looked at. */
export const longestAnswer = 1024;
/** Characters of it that are shown. */
const longestBanner = 200;

/** Hostile bytes as what may be shown: bounded, escaped. */
export const shown = (bytes: Uint8Array): string => {
  const text = printable(bytes.subarray(0, longestAnswer));
  return text.length > longestBanner ? `${text.slice(0, longestBanner)}…` : text;
};

const first = (bytes: Uint8Array): string =>
  shown(bytes)
    .split('\\x0a')[0]
    ?.replace(/\\x0d$/, '') ?? '';

/** Protocols by how their server speaks first, or answers what `greeting.ts` says. */
const byText: readonly (readonly [RegExp, string])[] = [
  [/^SSH-/, 'ssh'],
  [/^HTTP\/\d/, 'http'],
  [/^(\+PONG|-NOAUTH|-DENIED|-ERR (unknown|wrong|operation))/, 'redis'],
  [/^(VERSION \d|ERROR\\x0d\\x0a$)/, 'memcached'],
  [/^220[ -].*ftp/i, 'ftp'],
  [/^220[ -].*(smtp|postfix|exim)/i, 'smtp'],
  [/^220[ -]/, 'smtp or ftp'],
  [/^\+OK/, 'pop3'],
  [/^\* (OK|PREAUTH|BYE)/, 'imap'],
  [/^RFB \d/, 'vnc'],
  [/^@RSYNCD:/, 'rsync'],
  [/^AMQP/, 'amqp'],
];

/** A TLS alert (RFC 8446 §6): the server expects a handshake and got something else. */
export const isTlsAlert = (bytes: Uint8Array): boolean => bytes[0] === 0x15 && bytes[1] === 0x03;

/** What a server said, as its protocol and its first line. */
export const describe = (bytes: Uint8Array): Said => {
  if (bytes.length === 0) return { service: null, banner: null };
  const mysql = mysqlGreeting(bytes);
  if (mysql !== null) return { service: 'mysql', banner: mysql };
  // The answer to an SSLRequest is one byte (PostgreSQL, protocol-flow).
  if (bytes.length === 1 && (bytes[0] === 0x53 || bytes[0] === 0x4e))
    return { service: 'postgresql', banner: bytes[0] === 0x53 ? 'speaks TLS' : 'does not speak TLS' };
  const text = shown(bytes);
  const service = byText.find(([pattern]) => pattern.test(text))?.[1] ?? null;
  return { service, banner: service === 'http' ? httpBanner(bytes) : first(bytes) };
};

/** Status line and `Server:`. */
const httpBanner = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString('latin1');
  const server = /^server:[ \t]*([^\r\n]{1,100})/im.exec(text)?.[1];
  const status = first(bytes);
  return server === undefined ? status : `${status}, ${printable(server)}`;
};

/** Initial handshake, protocol version 10, or an error packet (MySQL, Connection Phase Packets). */
const mysqlGreeting = (bytes: Uint8Array): string | null => {
  if (bytes.length < 7 || bytes[3] !== 0) return null;
  const rest = bytes.subarray(5);
  if (bytes[4] === 0x0a) {
    const end = rest.indexOf(0);
    return end < 1 ? null : shown(rest.subarray(0, end)).replace(/^5\.5\.5-(?=\d+\.)/, '');
  }
  return bytes[4] === 0xff
    ? `error ${(rest[0] ?? 0) + (rest[1] ?? 0) * 256}: ${shown(rest.subarray(2))}`
    : null;
};
