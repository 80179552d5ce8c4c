import { printable } from '#base/printable';
import { shown, type Said } from './banner.ts';

/** What is asked over UDP: datagrams that a server of the protocol answers and that change nothing, and what an answer says. */
export type Question = {
  service: string;
  /** @param nonce four random bytes, for what matches answer and question */
  datagrams(nonce: Buffer): Buffer[];
  read(answer: Buffer): string | null;
};

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const word = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
};
const labels = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').flatMap((part) => [Buffer.from([part.length]), Buffer.from(part)]),
    Buffer.of(0),
  ]);

/** RFC 1035 §4.1: one question. */
const dnsQuery = (id: Buffer, flags: number, name: Buffer, type: number, klass: number): Buffer => {
  const header = Buffer.alloc(12);
  id.copy(header, 0, 0, 2);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(klass, 2);
  return Buffer.concat([header, name, tail]);
};

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** Response code, and the text of `version.bind` (RFC 4892) where it tells it. */
const readDns = (answer: Buffer): string | null => {
  if (answer.length < 12) return null;
  const code = (answer[3] ?? 0) & 0x0f;
  const said = rcodes[code] ?? `RCODE ${code}`;
  const question = 12 + labels('version.bind').length + 4;
  // A pointer to the name, type, class, life, length: then the text's own length and the text.
  const text = question + 12;
  const length = answer[text] ?? 0;
  return code === 0 && answer.readUInt16BE(6) > 0 && answer.length >= text + 1 + length && length > 0
    ? `${said}, version ${shown(answer.subarray(text + 1, text + 1 + length))}`
    : said;
};

/** ONC RPC over UDP, procedure 0, which does nothing (RFC 5531 §9). */
const rpcNull =
  (program: number, version: number): Question['datagrams'] =>
  (nonce) => [Buffer.concat([nonce.subarray(0, 4), word(0, 2, program, version, 0, 0, 0, 0, 0)])];
const readRpc = (answer: Buffer): string | null =>
  answer.length >= 24 && answer.readUInt32BE(4) === 1
    ? answer.readUInt32BE(8) === 0 && answer.readUInt32BE(20) === 0
      ? 'answers the null procedure'
      : 'refuses the null procedure'
    : null;

export const rpcbindQuestion: Question = {
  service: 'rpcbind',
  datagrams: rpcNull(100_000, 2),
  read: readRpc,
};
export const nfsQuestion: Question = { service: 'nfs', datagrams: rpcNull(100_003, 3), read: readRpc };

/** Discovery of the engine without any user (RFC 3414 §4), and sysDescr.0 by the community "public" (RFC 3416). */
const snmp: Question = {
  service: 'snmp',
  datagrams: (nonce) => [
    hex(`303a 020103 300f 02024a69 020300ffe3 040104 020103
         0410 300e 0400 020100 020100 0400 0400 0400
         3012 0400 0400 a00c 020237f0 020100 020100 3000`),
    Buffer.concat([
      hex('3029 020101 0406'),
      Buffer.from('public'),
      hex('a01c 0204'),
      // A positive integer.
      Buffer.of((nonce[0] ?? 0) & 0x7f, ...nonce.subarray(1, 4)),
      hex('020100 020100 300e 300c 06082b06010201010100 0500'),
    ]),
  ],
  read: (answer) =>
    answer.includes('public') ? 'answers to the community "public"' : answer[4] === 3 ? 'SNMPv3' : 'SNMP',
};

/** Mode 3, version 4 (RFC 5905 §7.3). */
const ntp: Question = {
  service: 'ntp',
  datagrams: (nonce) => {
    const request = Buffer.alloc(48);
    request[0] = 0x23;
    nonce.copy(request, 40);
    return [request];
  },
  read: (answer) =>
    answer.length >= 48 ? `NTPv${((answer[0] ?? 0) >> 3) & 7}, stratum ${answer[1] ?? 0}` : null,
};

export const dnsQuestion: Question = {
  service: 'dns',
  datagrams: (nonce) => [dnsQuery(nonce, 0, labels('version.bind'), 16, 3)],
  read: readDns,
};

/** A query that wants its answer by unicast (RFC 6762 §5.4). */
const mdns: Question = {
  service: 'mdns',
  datagrams: () => [dnsQuery(Buffer.alloc(2), 0, labels('_services._dns-sd._udp.local'), 12, 0x8001)],
  read: () => null,
};

/** Node status of `*` (RFC 1002 §4.2.17). */
const nbns: Question = {
  service: 'netbios-ns',
  datagrams: (nonce) => [
    dnsQuery(
      nonce,
      0,
      Buffer.concat([Buffer.of(32), Buffer.from(`CK${'A'.repeat(30)}`), Buffer.of(0)]),
      33,
      1,
    ),
  ],
  read: (answer) => (answer.length > 72 ? printable(answer.subarray(57, 72)).trim() : null),
};

/** Frame header: request, sequence, count, reserved (memcached, protocol.txt "UDP protocol"). */
const memcached: Question = {
  service: 'memcached',
  datagrams: (nonce) => [
    Buffer.concat([nonce.subarray(0, 2), hex('0000 0001 0000'), Buffer.from('version\r\n')]),
  ],
  read: (answer) => shown(answer.subarray(8)).replace(/\\x0d\\x0a$/, ''),
};

/** RFC 3261 §11. */
const sip: Question = {
  service: 'sip',
  datagrams: (nonce) => [
    Buffer.from(
      [
        'OPTIONS sip:probe@localhost SIP/2.0',
        `Via: SIP/2.0/UDP localhost;branch=z9hG4bK${nonce.toString('hex')};rport`,
        `From: <sip:probe@localhost>;tag=${nonce.toString('hex')}`,
        'To: <sip:probe@localhost>',
        `Call-ID: ${nonce.toString('hex')}`,
        'CSeq: 1 OPTIONS',
        'Max-Forwards: 0',
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
    ),
  ],
  read: (answer) => shown(answer).split('\\x0d')[0] ?? null,
};

/** It never answers. Who reads the log shall know what came. */
const syslog: Question = {
  service: 'syslog',
  datagrams: () => [Buffer.from('<13>holdfast-probe: is this port open?')],
  read: () => null,
};

const byPort: ReadonlyMap<number, Question> = new Map([
  [53, dnsQuestion],
  [111, rpcbindQuestion],
  [123, ntp],
  [137, nbns],
  [161, snmp],
  [514, syslog],
  [2049, nfsQuestion],
  [5060, sip],
  [5353, mdns],
  [11211, memcached],
]);

/** Nothing is known of the port: a datagram that says nothing. */
const unknown: Question = { service: 'unknown', datagrams: () => [Buffer.from('\n')], read: () => null };

export const questionFor = (port: number): Question => byPort.get(port) ?? unknown;

/** What an answer says; any answer at all shows that the door is open. */
export const readAnswer = (question: Question, answer: Buffer): Said => {
  const said = question.read(answer);
  return {
    service: question.service === 'unknown' ? null : question.service,
    banner: said ?? (question === unknown ? shown(answer) : null),
  };
};
