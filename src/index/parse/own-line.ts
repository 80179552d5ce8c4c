import { parseRfc3339 } from '#base/rfc3339';
import { asName, fromText, toBytes, type ByteString } from './byte-string.ts';
import { none, plainText, type Parsed } from './parsed.ts';
import { severityNumber } from './priority.ts';

const app = 'holdfast';
const mostFields = 64;
const longestValue = 1024;
const longestMessage = 4096;

/**
 * A fact about the host or a line of Holdfast's own: a JSON object with a `kind`. Its scalars become fields (nested
 * ones with dotted names), its message is `kind name=value …`; `time` and `severity` are taken where they are valid.
 */
export const parseOwnLine = (raw: ByteString): Parsed => {
  const object = parseObject(raw);
  if (object === null) return { ...plainText(raw), app };
  const scalars = flatten(object);
  const kind = typeof object['kind'] === 'string' ? object['kind'] : '';
  const time = typeof object['time'] === 'string' ? parseRfc3339(object['time']) : null;
  const severity = typeof object['severity'] === 'string' ? severityNumber(object['severity']) : null;
  const words = scalars
    .filter(([name]) => name !== 'kind' && name !== 'time')
    .map(([name, value]) => `${name}=${quoted(value)}`);
  const message = [kind, ...words].filter((word) => word !== '').join(' ');
  const fields: ByteString[] = [];
  for (const [name, value] of scalars.slice(0, mostFields))
    fields.push(asName(fromText(name)), fromText(value.slice(0, longestValue)));
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

const parseObject = (raw: ByteString): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(toBytes(raw).toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const deepest = 6;

/** Scalars with their dotted names, in order; `null` is left out, lists stay JSON. */
const flatten = (object: Record<string, unknown>): [name: string, value: string][] => {
  const scalars: [string, string][] = [];
  const walk = (value: unknown, name: string, depth: number): void => {
    if (value === null || value === undefined) return;
    if (isObject(value) && depth < deepest) {
      for (const [key, inner] of Object.entries(value))
        walk(inner, name === '' ? key : `${name}.${key}`, depth + 1);
    } else scalars.push([name, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
  };
  walk(object, '', 0);
  return scalars;
};

const quoted = (value: string): string =>
  /[\s"]/.test(value) || value === '' ? JSON.stringify(value) : value;
