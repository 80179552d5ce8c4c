import type { ByteString } from './byte-string.ts';
import { boundValue } from './fields.ts';
import type { Parsed } from './parsed.ts';

/** A longer one is no sentence of sshd's or PAM's. */
const longest = 1024;
/** An access log's date begins no further into the message: behind address, ident and user. */
const farthestDate = 512;

/**
 * What sshd and PAM say in sentences, and web servers in their access logs, as fields.
 * @returns whether all of the message was taken: what stands in it as `key=value` is a stranger's name then
 */
export const readSentence = (raw: ByteString, parsed: Parsed): boolean => {
  const { messageStart: start, messageEnd: end } = parsed;
  if (parsed.app.startsWith('sshd') && end - start <= longest && readSshd(raw.slice(start, end), parsed))
    return true;
  if (raw.startsWith('pam_unix(', start)) {
    push(parsed, 'user', pamSession.exec(raw.slice(start, Math.min(end, start + longest)))?.[1]);
    return false;
  }
  const bracket = raw.indexOf('[', start);
  // `[12/May/2026:03:00:00 +0000]`
  const isDated =
    bracket > start &&
    bracket < Math.min(end, start + farthestDate) &&
    raw.charCodeAt(bracket + 3) === 47 &&
    raw.charCodeAt(bracket + 7) === 47;
  if (isDated) readAccess(raw.slice(start, end), parsed);
  return false;
};

/**
 * Strangers choose the user's name, with spaces and all that stands in such a sentence, so the address is that of the
 * last ` from … port …`. See auth.c, auth2.c, packet.c and session.c of OpenSSH.
 */
const sshd: readonly RegExp[] = [
  /^(?:Accepted|Failed|Partial|Postponed) \S+ for (?:invalid user )?(?<user>.*) from (?<rhost>\S+) port \d+(?: ssh2(?:: .*)?)?(?: \[preauth\])?$/s,
  /^Invalid user (?<user>.*) from (?<rhost>\S+) port \d+$/s,
  /^(?:Connection (?:closed|reset) by|Disconnected from|Disconnecting) (?:(?:authenticating |invalid )?user (?<user>.*) )?(?<rhost>[\d.]+|[\da-f:.]*:[\da-f:.]+(?:%\S+)?|UNKNOWN) port \d+(?:: .*)?(?: \[preauth\])?$/s,
  /^(?:Received disconnect|Connection) from (?<rhost>\S+) port \d+/,
  /^error: maximum authentication attempts exceeded for (?:invalid user )?(?<user>.*) from (?<rhost>\S+) port \d+ ssh2(?: \[preauth\])?$/s,
  /^User (?<user>.*) from (?<rhost>\S+) not allowed because /s,
  /^(?:Starting session: .* for|Close session: user) (?<user>\S+) from (?<rhost>\S+) port \d+ id \d+$/s,
  /^(?:Did not receive identification string|Bad protocol version identification '.*'|banner exchange: Connection) from (?<rhost>\S+) port \d+/s,
  /^Unable to negotiate with (?<rhost>\S+) port \d+: /,
];

const readSshd = (message: ByteString, parsed: Parsed): boolean => {
  for (const sentence of sshd) {
    const groups = sentence.exec(message)?.groups;
    if (groups === undefined) continue;
    push(parsed, 'user', groups['user']);
    push(parsed, 'rhost', groups['rhost']);
    return true;
  }
  return false;
};

const pamSession = /^pam_unix\([^)]*\): session (?:opened|closed) for user ([^\s(]+)/;

/** Apache's `common` and `combined`, with a virtual host before it or not, and nginx's `combined`. */
const access =
  /^(?:[\w.-]+:\d{1,5} )?(?<client>\S{1,255}) \S{1,255} (?<user>.{1,255}?) \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(?:(?<method>[A-Z]{3,16}) )?(?:[^"\\]|\\.)*" (?<status>\d{3}) (?<bytes>\d+|-)(?= |$)/s;

const readAccess = (message: ByteString, parsed: Parsed): void => {
  const groups = access.exec(message)?.groups;
  if (groups === undefined) return;
  for (const name of ['client', 'user', 'method', 'status', 'bytes']) push(parsed, name, groups[name]);
};

const push = ({ fields }: Parsed, name: string, value: ByteString | undefined): void => {
  if (value !== undefined && value !== '' && value !== '-') fields.push(name, boundValue(value));
};
