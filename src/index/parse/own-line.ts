import { parseRfc3339 } from '#base/rfc3339';
import { fromText, toBytes, type ByteString } from './byte-string.ts';
import { flatten, isObject, mostFields, pushScalars, type JsonObject } from './fields.ts';
import { none, plainText, type Parsed } from './parsed.ts';
import { severityNumber } from './priority.ts';

const app = 'holdfast';
/** Words of the message; more than become fields. */
const mostWords = 1024;
const longestMessage = 4096;

/**
 * A fact about the host or a line of Holdfast's own: a JSON object with a `kind`. Its scalars become fields (nested
 * ones with dotted names), its message is `kind name=value …`; `time` and `severity` are taken where they are valid.
 */
export const parseOwnLine = (raw: ByteString): Parsed => {
  const object = parseObject(raw);
  if (object === null) return { ...plainText(raw), app };
  const scalars = flatten(object, mostWords);
  const kind = typeof object['kind'] === 'string' ? object['kind'] : '';
  const time = typeof object['time'] === 'string' ? parseRfc3339(object['time']) : null;
  const severity = typeof object['severity'] === 'string' ? severityNumber(object['severity']) : null;
  const words = scalars
    .filter(([name]) => name !== 'kind' && name !== 'time')
    .map(([name, value]) => `${name}=${quoted(value)}`);
  const message = [kind, ...words].filter((word) => word !== '').join(' ');
  const fields: ByteString[] = [];
  pushScalars(fields, scalars.slice(0, mostFields));
  return {
    ...plainText(raw),
    claimed: time,
    app,
    severity: severity ?? none,
    message: fromText(message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message),
    fields,
    confidence: kind === '' ? 50 : 100,
  };
};

const parseObject = (raw: ByteString): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(toBytes(raw).toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

const quoted = (value: string): string =>
  /[\s"]/.test(value) || value === '' ? JSON.stringify(value) : value;
