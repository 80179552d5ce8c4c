import type { ByteString } from './byte-string.ts';
import { plainText, type ParseContext, type Parsed } from './parsed.ts';
import { readPayload } from './payload.ts';
import { noPriority, scanPriority } from './priority.ts';
import { parseRfc3164 } from './rfc3164.ts';
import { parseRfc5424 } from './rfc5424.ts';

/** A line of syslog, or of plain text, with what its message holds. */
export const parseSyslogLine = (raw: ByteString, context: ParseContext): Parsed => {
  const parsed = parseSyslogHeader(raw, context);
  readPayload(raw, parsed);
  return parsed;
};

/** Its header alone. */
export const parseSyslogHeader = (raw: ByteString, context: ParseContext): Parsed => {
  // A byte order mark before all else (§6.4 of RFC 5424 has it before the message only)
  const start = raw.charCodeAt(0) === 0xef && raw.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
  const priority = scanPriority(raw, start);
  if (priority === null) {
    const none = { ...noPriority, end: start };
    return parseRfc5424(raw, none, context) ?? parseRfc3164(raw, none, context) ?? plainText(raw);
  }
  return parseRfc5424(raw, priority, context) ?? parseRfc3164(raw, priority, context) ?? plainText(raw);
};
