import { BlockList, isIP, isIPv6 } from 'node:net';
import { toBytes, type ByteString } from '../parse/byte-string.ts';

/**
 * Whether the host that a line claims is who sent it. A relay passes on what others have said, so that it is not says
 * only that it was passed on, or that somebody speaks in another's name: a fact to see, no alarm.
 *
 * - Over TLS the claim is held against the name in the certificate. Two names fit if they are the same or one of them
 *   is the other's first label; letter case does not count.
 * - Without a certificate there is only the peer's address, and names cannot be held against it: the claim is marked
 *   where it is an address itself, and another one. Peers on loopback have many addresses, so nothing is said of them.
 */
export type ClaimedHost = {
  /** @returns the certificate's name or the peer's address, if the claim does not fit it; else `''` */
  mismatch(claimed: ByteString): ByteString;
};

const mostKept = 1024;

/** One for all lines that came with the same head, so that a claim that comes again is looked up. */
export const claimedHost = (tlsName: ByteString, source: ByteString): ClaimedHost => {
  const fits = tlsName !== '' ? nameFits(tlsName) : addressFits(source);
  if (fits === null) return nothingToHoldAgainst;
  const against = tlsName !== '' ? tlsName : source;
  const known = new Map<ByteString, ByteString>();
  return {
    mismatch(claimed) {
      if (claimed === '') return '';
      // Without a certificate most claims are names, of which nothing can be said.
      if (tlsName === '' && !maybeAddress(claimed)) return '';
      let answer = known.get(claimed);
      if (answer === undefined) {
        answer = fits(claimed) ? '' : against;
        if (known.size >= mostKept) known.clear();
        // A copy: a slice would keep the batch that it is from.
        known.set(toBytes(claimed).toString('latin1'), answer);
      }
      return answer;
    },
  };
};

const nothingToHoldAgainst: ClaimedHost = { mismatch: () => '' };

const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, '');

const nameFits = (tlsName: string): ((claimed: string) => boolean) => {
  const own = plainName(tlsName);
  const short = own.split('.', 1)[0] ?? own;
  return (claimed) => {
    const said = plainName(claimed);
    if (said === own) return true;
    if (isIP(said) !== 0 || isIP(own) !== 0) return false;
    return !said.includes('.') ? said === short : !own.includes('.') && said.split('.', 1)[0] === own;
  };
};

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const addressFits = (source: string): ((claimed: string) => boolean) | null => {
  if (isIP(source) === 0 || loopback.check(source, isIPv6(source) ? 'ipv6' : 'ipv4')) return null;
  const own = canonical(source);
  return (claimed) => isIP(claimed) === 0 || canonical(claimed) === own;
};

/** IPv6 can be written in many ways (RFC 5952), and IPv4 as IPv6. */
const canonical = (address: string): string => {
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  return isIPv6(bare) ? (URL.parse(`http://[${bare}]/`)?.hostname ?? bare) : bare;
};

/** A digit, a colon, or a letter that could begin an IPv6 address; all else is a name. */
const maybeAddress = (claimed: string): boolean => {
  const first = claimed.charCodeAt(0);
  if (first >= 0x30 && first <= 0x3a) return true;
  const letter = first | 0x20;
  return letter >= 0x61 && letter <= 0x66 && claimed.includes(':');
};
