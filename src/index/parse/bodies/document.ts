import { asName, fromBytes, fromText, type ByteString } from '../byte-string.ts';
import { flatten, isObject, mostFields, pushScalars, type JsonObject } from '../fields.ts';
import { none, plainText, type ParseContext, type Parsed } from '../parsed.ts';
import { facilityNumber } from '../priority.ts';
import { asPid } from '../rfc5424.ts';
import { claimedTime } from './claimed-time.ts';
import { levelOf } from './level.ts';
import { tooMuch } from './limits.ts';
import { lookInto, type Part } from './part.ts';

/**
 * What programs call the same thing, the likeliest first: ECS, pino, bunyan, zap, logback, structlog, Fluent Bit,
 * `journalctl -o json`, GELF.
 */
const messages = ['message', 'msg', 'short_message', 'log', 'MESSAGE', 'event'];
const times = [
  '@timestamp',
  'timestamp',
  'time',
  'ts',
  'datetime',
  'date',
  '_SOURCE_REALTIME_TIMESTAMP',
  '__REALTIME_TIMESTAMP',
];
const hosts = ['host.name', 'host.hostname', 'hostname', 'host', '_HOSTNAME', 'log.syslog.hostname'];
const apps = [
  'service.name',
  'app',
  'application',
  'application_name',
  'app_name',
  'service',
  'SYSLOG_IDENTIFIER',
  'log.syslog.appname',
  'process.name',
  'program',
  'container.name',
  'container_name',
  'kubernetes.container.name',
  'kubernetes.container_name',
  'event.module',
  'logger',
  'logger_name',
  'log.logger',
  'name',
];
const levels = [
  'log.level',
  'level',
  'severity',
  'levelname',
  'loglevel',
  'log_level',
  'lvl',
  'severity_text',
  'PRIORITY',
];
const pids = ['process.pid', 'pid', '_PID'];
const facilities = ['log.syslog.facility.name', 'log.syslog.facility.code', 'SYSLOG_FACILITY', 'facility'];

/** Names are looked for among so many scalars. */
const mostScalars = 512;

/** A JSON document under the names that are usual for one line of log. `null` if the text is no object. */
export const documentPart = (bytes: Buffer, context: ParseContext): Part | null => {
  const object = parseObject(bytes);
  return object === null ? null : objectPart(bytes, object, context);
};

/** @param object what `bytes` say, or what a format makes of it */
export const objectPart = (bytes: Buffer, object: JsonObject, context: ParseContext): Part => {
  const raw = fromBytes(bytes);
  const scalars = flatten(object, mostScalars);
  const values = new Map<string, string>();
  for (const [name, value] of scalars) if (!values.has(name)) values.set(name, value);
  const find = (names: readonly string[]): string => {
    for (const name of names) {
      const value = values.get(name);
      if (value !== undefined && value !== '') return value;
    }
    return '';
  };
  const claimed = claimedTime(find(times), context);
  const host = find(hosts);
  const app = find(apps);
  const name = messages.find((one) => (values.get(one) ?? '') !== '');
  const fields: ByteString[] = [];
  pushScalars(fields, scalars.filter(([one]) => one !== name).slice(0, mostFields));
  const parsed: Parsed = {
    ...plainText(raw),
    claimed: claimed.time,
    host: asName(fromText(host)),
    app: asName(fromText(app)),
    pid: asPid(fromText(find(pids))),
    facility: facilityNumber(find(facilities)) ?? none,
    severity: levelOf(find(levels)),
    fields,
    confidence: name === undefined ? 50 : 90,
    guessed: claimed.guessed,
  };
  if (name !== undefined) putMessage(raw, fromText(values.get(name) ?? ''), parsed);
  return { bytes, raw, parsed };
};

/**
 * Where the document writes the message as it is, without an escape, the message is a slice of it, and nothing is kept
 * twice.
 */
const putMessage = (raw: ByteString, message: ByteString, parsed: Parsed): void => {
  lookInto(message, parsed);
  const at = /["\\\u0000-\u001f]/.test(message) ? -1 : raw.indexOf(`"${message}"`);
  if (at < 0) {
    parsed.message = message.replace(/[\u0000\r\n]+$/, '');
    return;
  }
  parsed.messageStart = at + 1;
  parsed.messageEnd = at + 1 + message.length;
};

export const parseObject = (bytes: Buffer): JsonObject | null => {
  const value = parseValue(bytes);
  return isObject(value) ? value : null;
};

/** `undefined` if it is no JSON, or too much of it. */
export const parseValue = (bytes: Buffer): unknown => {
  if (tooMuch(bytes) !== null) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
};
