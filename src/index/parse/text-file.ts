import type { ByteString } from './byte-string.ts';
import { fromText } from './byte-string.ts';
import { plainText, type ParseContext, type Parsed } from './parsed.ts';
import { noPriority, severityNumber } from './priority.ts';
import { parseRfc3164 } from './rfc3164.ts';
import { scanCommonLog, scanCtime, scanIso, type Scanned } from './timestamp.ts';

/**
 * One line of a text file. Read as syslog's own file format, `dpkg.log` and others that start with an ISO time, apt's
 * `Start-Date:`, nginx's and Apache's access and error logs; else the whole line is the message. The app is the line's
 * tag, else the file's name without `.log`.
 */
export const parseTextFile = (raw: ByteString, path: string, context: ParseContext): Parsed => {
  const app = fromText(appOf(path));
  const syslog = parseRfc3164(raw, noPriority, context);
  // Time, host and tag: a file that syslog wrote. With a time alone it is some program's own format.
  if (syslog !== null && syslog.app !== '' && syslog.host !== '') return withPath(syslog, path);
  const iso =
    scanIso(raw, 0, context.local) ?? (raw.charCodeAt(0) === 91 ? scanIso(raw, 1, context.local) : null);
  if (iso !== null) return withPath(leading(raw, iso, app), path);
  if (syslog !== null) return withPath({ ...syslog, host: '', app, messageStart: 0, confidence: 50 }, path);
  return withPath(
    { ...(parseDatedKey(raw, context) ?? parseWebServer(raw, context) ?? plainText(raw)), app },
    path,
  );
};

const appOf = (path: string): string => {
  const base = path.slice(path.lastIndexOf('/') + 1);
  return base.replace(/\.log(?:\.\d+)?$/, '').replace(/\.\d+$/, '') || base;
};

const withPath = (parsed: Parsed, path: string): Parsed => {
  if (path !== '') parsed.fields.push('path', fromText(path));
  return parsed;
};

/** A time and then the message. A `]` or `,` that belongs to the time goes with it. */
const leading = (raw: ByteString, scanned: Scanned, app: ByteString): Parsed => {
  let at = scanned.end;
  while (at < raw.length && (raw.charCodeAt(at) === 32 || raw.charCodeAt(at) === 93)) at += 1;
  const word = /^\[?([A-Za-z]{3,13})\]?:?(?= )/.exec(raw.slice(at, at + 20));
  return {
    ...plainText(raw),
    claimed: scanned.time,
    app,
    severity: word?.[1] === undefined ? 255 : (severityNumber(word[1]) ?? 255),
    messageStart: at,
    confidence: 60,
    guessed: scanned.guessed,
  };
};

/** apt's history.log: `Start-Date: 2026-05-12  03:00:00`; its other lines carry no time. */
const parseDatedKey = (raw: ByteString, context: ParseContext): Parsed | null => {
  if (!raw.startsWith('Start-Date: ') && !raw.startsWith('End-Date: ')) return null;
  const scanned = scanIso(raw, raw.indexOf(' ') + 1, context.local);
  return scanned === null
    ? null
    : { ...plainText(raw), claimed: scanned.time, confidence: 60, guessed: scanned.guessed };
};

/** `… [12/May/2026:03:00:00 +0000] "GET …` and `[Tue May 12 03:00:00.123456 2026] [core:error] …` */
const parseWebServer = (raw: ByteString, context: ParseContext): Parsed | null => {
  const bracket = raw.indexOf('[');
  if (bracket < 0 || bracket > 400) return null;
  const common = scanCommonLog(raw, bracket + 1, context.local);
  if (common !== null)
    return { ...plainText(raw), claimed: common.time, confidence: 60, guessed: common.guessed };
  const ctime = bracket === 0 ? scanCtime(raw, 1, context.local) : null;
  if (ctime === null) return null;
  const level = /^\] \[(?:[\w-]*:)?([a-z]+)\]/.exec(raw.slice(ctime.end, ctime.end + 60));
  return {
    ...plainText(raw),
    claimed: ctime.time,
    severity: level?.[1] === undefined ? 255 : (severityNumber(level[1]) ?? 255),
    messageStart: Math.min(raw.length, ctime.end + 2),
    confidence: 60,
    guessed: ctime.guessed,
  };
};
