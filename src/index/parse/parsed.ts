import type { Micros } from '#base/clock';
import type { ByteString } from './byte-string.ts';
import type { LocalTime, ScannedIso } from './timestamp.ts';

/** What a parser made of a line. The line itself is never changed: the message is told by its place in it. */
export type Parsed = {
  /** The time that the line claims, `null` if it has none. */
  claimed: Micros | null;
  /** The header's timestamp as it was read, if that is at hand: whoever asks again need not read it again. */
  stamp: ScannedIso | null;
  /** `''` = none, for host and app. */
  host: ByteString;
  app: ByteString;
  pid: number | null;
  /** 0–23, or 255 = none */
  facility: number;
  /** 0 (emerg) – 7 (debug), or 255 = none */
  severity: number;
  /** The message is `raw[messageStart, messageEnd)`, unless `message` says otherwise. */
  messageStart: number;
  messageEnd: number;
  /** Only where the message is no slice of the line. */
  message: ByteString | null;
  /** Name, value, name, value, … */
  fields: ByteString[];
  /** 0–100: how far the line kept to the format it was read as; 0 = no format recognised. */
  confidence: number;
  /** Guessed bits. */
  guessed: number;
};

/**
 * Bits of `Parsed.guessed`; in the table's `flags` they stand above the record's own eight.
 *
 * - `year`: the line names none; the one that fits the receive time was taken
 * - `zone`: it names none, so this machine's was taken, or one whose name several zones use
 * - `host`: the first word was taken for the host, and nothing that follows says that it is one
 * - `clock`: the sender says that its clock is not set or not synchronised
 */
export const Guessed = { year: 1 << 8, zone: 1 << 9, host: 1 << 10, clock: 1 << 11 } as const;

/** What a parser may know beside the line. */
export type ParseContext = {
  received: Micros;
  /** How to read a time without a zone. */
  local: LocalTime;
};

export const none = 255;

/** The whole line is the message. */
export const plainText = (raw: ByteString): Parsed => ({
  claimed: null,
  stamp: null,
  host: '',
  app: '',
  pid: null,
  facility: none,
  severity: none,
  messageStart: 0,
  messageEnd: raw.length,
  message: null,
  fields: [],
  confidence: 0,
  guessed: 0,
});
