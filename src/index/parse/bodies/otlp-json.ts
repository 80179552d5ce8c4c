import { isObject, type JsonObject } from '../fields.ts';
import { parseObject } from './document.ts';
import { tooMuch } from './limits.ts';
import { Damage } from './part.ts';
import { deepest, objectOf, type Attribute, type OtlpRecord, type OtlpSource } from './otlp-value.ts';

/**
 * LogRecords of an ExportLogsServiceRequest in OTLP's JSON: protobuf's, with trace and span ids in hexadecimal
 * (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). 64-bit integers are strings there, but not by all
 * who write it.
 * @throws Damage
 */
export function* jsonRecords(request: Buffer): Generator<readonly [OtlpRecord, OtlpSource]> {
  const root = parseObject(request);
  if (root === null) throw new Damage(tooMuch(request) ?? 'it is no JSON object');
  for (const resourceLogs of objects(root, 'resourceLogs')) {
    const resource = attributesOf(member(resourceLogs, 'resource'));
    const scopes = [
      ...objects(resourceLogs, 'scopeLogs'),
      ...objects(resourceLogs, 'instrumentationLibraryLogs'),
    ];
    for (const scopeLogs of scopes) {
      const given = member(scopeLogs, 'scope');
      const scope = {
        name: text(given, 'name'),
        version: text(given, 'version'),
        attributes: attributesOf(given),
      };
      for (const record of objects(scopeLogs, 'logRecords')) yield [recordOf(record), { resource, scope }];
    }
  }
}

const recordOf = (record: JsonObject): OtlpRecord => ({
  time: text(record, 'timeUnixNano') || '0',
  observed: text(record, 'observedTimeUnixNano') || '0',
  severityNumber: severityNumber(get(record, 'severityNumber')),
  severityText: text(record, 'severityText'),
  body: anyValue(get(record, 'body'), 0),
  attributes: attributesOf(record),
  traceId: text(record, 'traceId').toLowerCase(),
  spanId: text(record, 'spanId').toLowerCase(),
  eventName: text(record, 'eventName'),
});

/** A number, or by protobuf's JSON also its name: SEVERITY_NUMBER_INFO2. */
const severityNumber = (value: unknown): number => {
  const match = typeof value === 'string' ? /^SEVERITY_NUMBER_([A-Z]+?)([2-4])?$/.exec(value) : null;
  if (match === null) return Number(value ?? 0);
  const begin = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].indexOf(match[1] ?? '');
  return begin < 0 ? 0 : begin * 4 + Number(match[2] ?? 1);
};

const attributesOf = (holder: JsonObject): Attribute[] =>
  objects(holder, 'attributes').map((one) => [text(one, 'key'), anyValue(get(one, 'value'), 0)]);

const anyValue = (value: unknown, depth: number): unknown => {
  if (!isObject(value)) return value ?? null;
  if (depth >= deepest) return '\u2026';
  const [name = ''] = Object.keys(value);
  const given = value[name];
  switch (camelCase(name)) {
    case 'stringValue':
    case 'boolValue':
    case 'doubleValue':
    case 'bytesValue':
      return given;
    case 'intValue': {
      const number = Number(given);
      return Number.isSafeInteger(number) ? number : given;
    }
    case 'arrayValue':
      return isObject(given) ? objectsOrValues(given).map((one) => anyValue(one, depth + 1)) : [];
    case 'kvlistValue':
      return isObject(given)
        ? objectOf(
            objects(given, 'values').map((one) => [text(one, 'key'), anyValue(get(one, 'value'), depth + 1)]),
          )
        : {};
    default:
      return name === '' ? null : value;
  }
};

const objectsOrValues = (holder: JsonObject): unknown[] => {
  const { values } = holder;
  return Array.isArray(values) ? values : [];
};

const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Readers of protobuf's JSON take its own names too. */
const get = (object: JsonObject, name: string): unknown => object[name] ?? object[snakeCase(name)];

const member = (object: JsonObject, name: string): JsonObject => {
  const value = get(object, name);
  return isObject(value) ? value : {};
};

const objects = (object: JsonObject, name: string): JsonObject[] => {
  const value = get(object, name);
  return Array.isArray(value) ? value.filter(isObject) : [];
};

const text = (object: JsonObject, name: string): string => {
  const value = get(object, name);
  if (typeof value === 'string') return value;
  // Nanoseconds as a number: JSON.parse has rounded them, and 1e21 would not be written in digits.
  return typeof value === 'number' && Math.abs(value) < 1e21 ? String(value) : '';
};
