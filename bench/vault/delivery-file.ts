import { closeSync, openSync, writeSync } from 'node:fs';
import type { Micros } from '#base/clock';
import { encodeDeliveryFixed } from '#vault/intake';
import { encodeRecord, Framing } from '#vault/record';

const LF = 0x0a;
const bodyBytes = 64 * 1024;

/**
 * Writes an intake file as a receiver would have stored these lines.
 * @param lines whole ones, each ended by LF
 * @param received when a delivery came that begins with the line at `at`
 */
export const writeDeliveryFile = (path: string, lines: Buffer, received: (at: number) => Micros): void => {
  const file = openSync(path, 'w', 0o640);
  for (let at = 0; at < lines.length;) {
    const head = encodeRecord({
      flags: 0, framing: Framing.newline, received: received(at), sequence: 0,
      listener: 'syslog-tcp=127.0.0.1:5514', peer: '127.0.0.1:51234', tlsName: '', stream: '', meta: '',
      raw: Buffer.alloc(0),
    }); // prettier-ignore
    head.writeUInt32BE(0, 0);
    const cut = Math.min(lines.length, lines.lastIndexOf(LF, at + bodyBytes - 1) + 1);
    const body = lines.subarray(at, cut);
    for (const part of [encodeDeliveryFixed(head, body), head, body]) writeSync(file, part);
    at = cut;
  }
  closeSync(file);
};
