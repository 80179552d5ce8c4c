import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { describe, type Said } from './banner.ts';
import { dnsQuestion, nfsQuestion, readAnswer, rpcbindQuestion, type Question } from './question.ts';

/** What a client says first where the server waits for it. Each is a question that changes nothing. */
export type Greeting =
  | { kind: 'listen' }
  | { kind: 'say'; bytes(host: string): Buffer; read(answer: Uint8Array): Said }
  | { kind: 'tls' };

/** RFC 9112 §3.2: an IPv6 address in brackets; its zone means nothing there (RFC 6874). */
const hostField = (host: string): string => (isIPv6(host) ? `[${host.replace(/%.*$/, '')}]` : host);

const http: Greeting = {
  kind: 'say',
  bytes: (host) =>
    Buffer.from(
      `HEAD / HTTP/1.0\r\nHost: ${hostField(host)}\r\nUser-Agent: holdfast-probe\r\n\r\n`,
      'latin1',
    ),
  read: describe,
};
const redis: Greeting = { kind: 'say', bytes: () => Buffer.from('PING\r\n'), read: describe };
const memcached: Greeting = { kind: 'say', bytes: () => Buffer.from('version\r\n'), read: describe };
/** SSLRequest: length 8, code 80877103. */
const postgresql: Greeting = {
  kind: 'say',
  bytes: () => Buffer.from('0000000804d2162f', 'hex'),
  read: describe,
};

/** The same question as over UDP; over TCP its length stands before it (RFC 1035 §4.2.2; RFC 5531 §11, last fragment). */
const framed = (question: Question, mark: (length: number) => Buffer): Greeting => ({
  kind: 'say',
  bytes: () => {
    const [datagram = Buffer.alloc(0)] = question.datagrams(randomBytes(4));
    return Buffer.concat([mark(datagram.length), datagram]);
  },
  read: (answer) => readAnswer(question, Buffer.from(answer).subarray(mark(0).length)),
});
const dnsMark = (length: number): Buffer => Buffer.of(length >> 8, length & 0xff);
const rpcMark = (length: number): Buffer =>
  Buffer.of(0x80, length >> 16, (length >> 8) & 0xff, length & 0xff);

const tls: Greeting = { kind: 'tls' };
const listen: Greeting = { kind: 'listen' };

const byPort: ReadonlyMap<number, Greeting> = new Map<number, Greeting>([
  ...[80, 631, 2375, 3000, 5601, 5984, 8000, 8008, 8080, 8081, 8086, 8123, 8888, 9090, 9093, 9200, 15672].map(
    (port) => [port, http] as const,
  ),
  ...[443, 465, 636, 853, 993, 995, 2376, 5671, 6443, 6514, 8443, 10250].map((port) => [port, tls] as const),
  ...[6379, 26379].map((port) => [port, redis] as const),
  [11211, memcached],
  [53, framed(dnsQuestion, dnsMark)],
  [111, framed(rpcbindQuestion, rpcMark)],
  [2049, framed(nfsQuestion, rpcMark)],
  ...[5432, 6432].map((port) => [port, postgresql] as const),
  // Printers print what they are sent here.
  ...Array.from({ length: 8 }, (_, index) => [9100 + index, listen] as const),
  // What takes logs would keep it as a line.
  ...[514, 601, 1514, 5514, 6515, 12201].map((port) => [port, listen] as const),
]);

/**
 * What to say on a port. Where nothing is known of it: listen, and if it says nothing, ask as a browser would, which
 * most servers answer in some way.
 */
export const greetingFor = (port: number): Greeting | null => byPort.get(port) ?? null;

export const unknownPort = http;
