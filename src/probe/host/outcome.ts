import type { Door } from './door.ts';

/**
 * What came back from a door:
 *
 * - `open`: TCP connected; UDP answered;
 * - `refused`: a TCP reset, or ICMP "port unreachable": a connecting socket is not told which. Nobody listens, or a
 *   firewall says so (`REJECT`);
 * - `filtered`: TCP: nothing came back at all, or ICMP said that the host or the port may not be reached. UDP: the latter;
 * - `silent`: UDP: nothing came back. Open, filtered and lost look the same;
 * - `not-looked`: it could not be tried; `why` says what stood in the way.
 */
export type DoorState = 'open' | 'refused' | 'filtered' | 'silent' | 'not-looked';

export type Outcome = Door & {
  state: DoorState;
  /** In words: `connected`, `no answer within 3 s`, … */
  why: string;
  /** From the first packet that was answered to that answer; `null` where none came. */
  milliseconds: number | null;
  /** The protocol, as far as the answer shows it: `ssh`, `http`, `mysql`. */
  service: string | null;
  /** What it said, at most 200 characters, control characters escaped. */
  banner: string | null;
  tls: TlsSeen | null;
};

export type TlsSeen = {
  /** Those that it agreed to: `TLSv1.2`, `TLSv1.3`. */
  versions: string[];
  /** Common name of the certificate's subject, escaped; `null` where it has none. */
  subject: string | null;
  /** DNS names and addresses that the certificate is for. */
  names: string[];
  issuer: string | null;
  /** RFC 3339. */
  expires: string | null;
};
