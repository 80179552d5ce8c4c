import { micros } from '#base/clock';
import { asName, type ByteString } from './byte-string.ts';
import { boundValue, mostFields } from './fields.ts';
import type { Parsed } from './parsed.ts';
import { asPid } from './rfc5424.ts';

/**
 * auditd's records, in its log and through audisp-syslog (`[node=H ]type=SYSCALL msg=audit(1364481363.243:24287): …`),
 * and the kernel's (`audit: type=1400 audit(1364481363.243:24287): …`). See "audit event fields" of linux-audit.
 */
const headPattern =
  /(?:node=(?<node>\S{1,255}) )?(?:audit: )?type=(?<type>\w{1,64}|UNKNOWN\[\d{1,5}\]) (?:msg=)?audit\((?<seconds>\d{1,10})\.(?<milliseconds>\d{3}):(?<serial>\d{1,19})\): ?/y;

/** Such values the kernel writes in hexadecimal where they hold a space, a quote or a control byte. */
const untrusted = new Set(
  'acct cmd comm cwd data device dir exe file grp id key name new_group newname ocomm old path proctitle vm watch'.split(
    ' ',
  ),
);

/**
 * An audit record: its pairs become fields, values in hexadecimal as the text that they stand for, those of
 * `msg='op=login …'` as well; `audit.type` and `audit.serial` say which event it belongs to. Its time is the claimed one,
 * as it is the kernel's own.
 * @returns whether it was one
 */
export const readAudit = (raw: ByteString, parsed: Parsed): boolean => {
  const at = parsed.messageStart;
  if (!raw.startsWith('type=', at) && !raw.startsWith('audit: type=', at) && !raw.startsWith('node=', at))
    return false;
  const head = auditHead(raw, at);
  if (head === null) return false;
  parsed.claimed = head.time;
  parsed.guessed = 0;
  if (head.node !== '' && parsed.host === '') parsed.host = asName(head.node);
  if (parsed.app === '') parsed.app = 'audit';
  parsed.confidence = Math.max(parsed.confidence, 90);
  parsed.fields.push('audit.type', head.type, 'audit.serial', head.serial);
  readAuditPairs(raw.slice(head.end, parsed.messageEnd), head.type, parsed);
  return true;
};

type Head = { node: ByteString; type: ByteString; time: Parsed['claimed']; serial: ByteString; end: number };

const auditHead = (raw: ByteString, at: number): Head | null => {
  headPattern.lastIndex = at;
  const groups = headPattern.exec(raw)?.groups;
  if (groups === undefined) return null;
  const { node = '', type = '', seconds, milliseconds, serial = '' } = groups;
  const time = micros(Number(seconds) * 1_000_000 + Number(milliseconds) * 1000);
  return { node, type, time, serial, end: headPattern.lastIndex };
};

const pairPattern = /([A-Za-z_][\w.-]{0,63})=("[^"]*"|'[^']*'|\{[^}]*\}|[^\s\u001d]*)/g;

/**
 * The same of what journald reads from the kernel itself: it takes the head apart, so that the message begins with the
 * record's name (systemd.journal-fields(7), `_TRANSPORT=audit`).
 * @returns whether it was one
 */
export const readJournalAudit = (raw: ByteString, parsed: Parsed): boolean => {
  const serial = fieldOf(parsed, '_AUDIT_ID');
  if (serial === '') return false;
  const type = fieldOf(parsed, '_AUDIT_TYPE_NAME') || fieldOf(parsed, '_AUDIT_TYPE');
  parsed.fields.push('audit.type', type, 'audit.serial', serial);
  readAuditPairs(raw.slice(parsed.messageStart, parsed.messageEnd), type, parsed);
  return true;
};

const fieldOf = ({ fields }: Parsed, name: string): ByteString => {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1] ?? '';
  return '';
};

/** The pairs of a record's body. */
const readAuditPairs = (body: ByteString, type: ByteString, parsed: Parsed): void => {
  const most = parsed.fields.length + 2 * mostFields;
  const scan = (text: ByteString): void => {
    for (const [, name = '', value = ''] of text.slice(0, 64 * 1024).matchAll(pairPattern)) {
      if (parsed.fields.length >= most) return;
      const quote = value.charCodeAt(0);
      if (quote === 39 && value.length > 1) {
        if (name === 'msg') scan(value.slice(1, -1));
        else parsed.fields.push(name, boundValue(value.slice(1, -1)));
        continue;
      }
      const plain = quote === 34 && value.length > 1 ? value.slice(1, -1) : decoded(name, value, type);
      if (plain === '' || plain === '?' || plain === '(null)') continue;
      if (name === 'pid' && parsed.pid === null) parsed.pid = asPid(plain);
      parsed.fields.push(name, boundValue(plain));
    }
  };
  scan(body);
};

const hexadecimal = /^(?:[0-9A-F]{2})+$/;
const argument = /^a\d{1,4}(?:\[\d{1,4}\])?$/;

/** `a0`, `a1`, … are arguments as text in EXECVE, and numbers in SYSCALL. */
const decoded = (name: ByteString, value: ByteString, type: ByteString): ByteString => {
  const isText = untrusted.has(name) || ((type === 'EXECVE' || type === '1309') && argument.test(name));
  if (!isText || !hexadecimal.test(value)) return value;
  // The words of a process title are parted by NUL
  return Buffer.from(value, 'hex').toString('latin1').replace(/\0+$/, '').replaceAll('\0', ' ');
};
