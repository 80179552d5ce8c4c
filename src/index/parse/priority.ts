import type { ByteString } from './byte-string.ts';
import { none } from './parsed.ts';

/** RFC 5424 §6.2.1, by number; the names are those of syslog.conf(5) and logger(1). */
export const facilityNames = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'security',
  'console',
  'solaris-cron',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

export const severityNames = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

const otherSeverityNames: Record<string, number> = {
  emergency: 0,
  panic: 0,
  critical: 2,
  error: 3,
  warn: 4,
  information: 6,
  informational: 6,
};

/** Number of a severity given by name (also `error`, `warn`, `panic`, …) or by digit; `null` if it is none. */
export const severityNumber = (text: string): number | null => {
  const name = text.toLowerCase();
  const index = severityNames.findIndex((known) => known === name);
  if (index >= 0) return index;
  if (/^[0-7]$/.test(name)) return Number(name);
  return Object.hasOwn(otherSeverityNames, name) ? (otherSeverityNames[name] ?? null) : null;
};

/** Number of a facility given by name or number; `null` if it is none. */
export const facilityNumber = (text: string): number | null => {
  const name = text.toLowerCase();
  const index = facilityNames.findIndex((known) => known === name);
  if (index >= 0) return index;
  return /^\d{1,2}$/.test(name) && Number(name) < facilityNames.length ? Number(name) : null;
};

export type Priority = { facility: number; severity: number; end: number };

/** `<0>` to `<191>` at `start`; `null` if there is none. */
export const scanPriority = (raw: ByteString, start = 0): Priority | null => {
  if (raw.charCodeAt(start) !== 60) return null;
  let value = 0;
  let at = start + 1;
  for (; at < start + 5; at += 1) {
    const code = raw.charCodeAt(at);
    if (code === 62) break;
    if (!(code >= 48 && code <= 57)) return null;
    value = value * 10 + code - 48;
  }
  if (at === start + 1 || at === start + 5 || value > 191) return null;
  return { facility: value >> 3, severity: value & 7, end: at + 1 };
};

export const noPriority: Priority = { facility: none, severity: none, end: 0 };
