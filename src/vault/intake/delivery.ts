import { crc32 } from 'node:zlib';

/**
 * A delivery is what the receiver stores at once: the bytes that one peer sent over one listener, cut at the last
 * complete frame and not looked at any further. Integers are big-endian.
 *
 *     u32  magic 0x48464431 ("HFD1")
 *     u32  length of the head
 *     u32  length of the body
 *     u32  CRC-32 of head ‖ body
 *     …    head: a record head (src/vault/record), its length word zero, with the delivery's receive time, the
 *          sequence number of its first line, and flags that hold for every line of it
 *     …    body, by framing:
 *          datagram      the datagram
 *          datagrams     frames: u16 length, the datagram; each becomes a record of framing `datagram`
 *          body          the body
 *          newline       frames, each ended by LF (the last may lack it when the flags say torn or part, or after HTTP)
 *          nul           frames, each ended by NUL, likewise
 *          journal       entries of systemd's export format, each ended by an empty line (the last may lack it); one
 *                        frame when the flags say torn or part
 *          octetCounted  frames: decimal length, SP, that many bytes (the last may be short when torn or part)
 *          relp          frames: number, SP, `syslog`, SP, decimal length, SP, that many bytes, LF (the last may be short
 *                        when torn)
 *          own           frames: u64 sequence, u16 meta length, meta, u32 raw length, raw
 *
 * The CRC tells a torn write from a whole one after a crash. It is no evidence: that begins in the vault.
 */
export const deliveryMagic = 0x48464431;
export const deliveryFixed = 16;

/** The fixed part of a delivery; write it, then head, then body. */
export const encodeDeliveryFixed = (head: Uint8Array, body: Uint8Array): Buffer => {
  const fixed = Buffer.allocUnsafe(deliveryFixed);
  fixed.writeUInt32BE(deliveryMagic, 0);
  fixed.writeUInt32BE(head.length, 4);
  fixed.writeUInt32BE(body.length, 8);
  fixed.writeUInt32BE(crc32(body, crc32(head)), 12);
  return fixed;
};
