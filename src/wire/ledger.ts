/**
 * What the receiver counts and says of what did not come in whole. Each is a line of its own in the log, one a second
 * for each cause, listener and sender at most:
 *
 *     {"kind","cause","listener","sender","count","since","until"}
 *
 * `sender` is the peer's address, `null` where nobody can tell, or where more senders were counted than are named.
 * `torn` lines have `bytes` as well: how many came.
 *
 * - `loss`: what a sender that may speak had sent is gone
 * - `torn`: of what was sent a part came. It is stored, and marked
 * - `refusal`: it was not taken, and its sender can tell: a connection that was closed, a request that was refused
 * - `framing`: bytes that are no frame of the protocol. They are stored as lines; nothing is gone
 * - `kernel`: what the kernel of the receiver's host counts and no socket accounts for
 */
export type LedgerKind = 'loss' | 'torn' | 'refusal' | 'framing' | 'kernel';

/**
 * Whether a line is missing from the log because of it: `yes`; `maybe`, where nobody can tell; `no`, where its sender
 * was told, or was never told that it arrived and so sends it again, or may not speak here at all.
 */
export type Missing = 'yes' | 'maybe' | 'no';

export const ledgerCauses = {
  /** The kernel had no room in the socket's buffer (last column of /proc/net/udp). */
  'kernel udp drop': { kind: 'loss', missing: 'yes' },
  /** Datagrams: more is waiting for the disk than may be held in memory, or than this sender's share of it. */
  'receiver congested': { kind: 'loss', missing: 'yes' },
  /** Datagrams: more a second than one sender may send (`--limit datagrams`). */
  'sender rate': { kind: 'loss', missing: 'yes' },

  /** Syslog: the connection ended within an octet-counted frame. */
  'cut frame': { kind: 'torn', missing: 'yes' },
  /** It ended after a line without its LF (GELF: NUL). Whether the line is whole, only its sender knows. */
  'line without end': { kind: 'torn', missing: 'maybe' },
  /** Syslog and GELF over TCP: what had come and was not read yet is gone. How much that was, only its sender knows. */
  'connection reset': { kind: 'torn', missing: 'maybe' },
  /** GELF over UDP: a message of which a chunk did not come in time. */
  'torn message': { kind: 'torn', missing: 'yes' },
  /** RELP: the connection ended within a frame. It was not acknowledged. */
  'torn frame': { kind: 'torn', missing: 'no' },
  /** HTTP: the connection ended before the body did. Its sender was told nothing. */
  'torn body': { kind: 'torn', missing: 'no' },
  /** A journal: bytes that are no entry of it. */
  'torn entry': { kind: 'torn', missing: 'maybe' },

  /** More connections than the limit, over all senders. */
  'connection limit': { kind: 'refusal', missing: 'maybe' },
  /** More connections than one sender may have (`--limit connections`). */
  'sender connections': { kind: 'refusal', missing: 'maybe' },
  /** More new connections a second than one sender may open (`--limit connects`). */
  'sender connects': { kind: 'refusal', missing: 'maybe' },
  /** Neither its address nor the name in its certificate is allowed. */
  'refused sender': { kind: 'refusal', missing: 'no' },
  /** It showed none that the authority has issued, and may not speak without. */
  'no certificate': { kind: 'refusal', missing: 'no' },
  'revoked certificate': { kind: 'refusal', missing: 'no' },
  /** Certificates were asked for more often than is answered. */
  'too many certificate requests': { kind: 'refusal', missing: 'no' },
  /** TLS did not come about. */
  'tls handshake': { kind: 'refusal', missing: 'no' },
  /** An agent, or whoever speaks as one, that does not keep to the protocol. */
  protocol: { kind: 'refusal', missing: 'no' },
  /** RELP: bytes that are none, or commands out of order. It was told, and the connection closed. */
  'no RELP': { kind: 'refusal', missing: 'no' },
  /** HTTP: no request by the rules of RFC 9112. */
  'malformed request': { kind: 'refusal', missing: 'no' },
  'request head too large': { kind: 'refusal', missing: 'no' },
  /** HTTP: it did not come in time. */
  'slow request': { kind: 'refusal', missing: 'no' },
  /** HTTP: its answer was not taken in time. What it had sent is stored, and marked where it comes again. */
  'unread answer': { kind: 'refusal', missing: 'no' },
  'too many requests ahead': { kind: 'refusal', missing: 'no' },
  'unknown path': { kind: 'refusal', missing: 'no' },
  'body too large': { kind: 'refusal', missing: 'no' },
  /** HTTP: sent back, because too much is under way or waits for the disk. */
  'sent back': { kind: 'refusal', missing: 'no' },
  /** HTTP: sent back, because there is no space. */
  'disk full': { kind: 'refusal', missing: 'no' },

  /** The rest of the connection is read line by line. */
  'no octet count': { kind: 'framing', missing: 'no' },

  /** Datagrams with a wrong checksum, or for which the kernel had no memory, of a socket that nobody can name. */
  'udp errors of no socket': { kind: 'kernel', missing: 'maybe' },
} as const satisfies Record<string, { kind: LedgerKind; missing: Missing }>;

export type LedgerCause = keyof typeof ledgerCauses;

/** Causes of a kind whose lines are, or may be, missing. */
export const causesMissing = (missing: Missing): LedgerCause[] => {
  const causes = new Map<string, { missing: Missing }>(Object.entries(ledgerCauses));
  return ledgerNames.filter((cause) => causes.get(cause)?.missing === missing);
};

const isCause = (name: string): name is LedgerCause => Object.hasOwn(ledgerCauses, name);
const ledgerNames: readonly LedgerCause[] = Object.keys(ledgerCauses).filter(isCause);
