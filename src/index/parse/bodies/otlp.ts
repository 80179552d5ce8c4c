import { asName, fromText, toBytes, type ByteString } from '../byte-string.ts';
import { flatten, isObject, mostFields, pushScalars } from '../fields.ts';
import { none, plainText, type ParseContext, type Parsed } from '../parsed.ts';
import { asPid } from '../rfc5424.ts';
import { nanosecondTime } from './claimed-time.ts';
import { levelOf, levelOfOtel } from './level.ts';
import { jsonRecords } from './otlp-json.ts';
import { protobufRecords } from './otlp-protobuf.ts';
import { objectOf, type Attribute, type OtlpRecord, type OtlpSource } from './otlp-value.ts';
import { lookInto, type Part } from './part.ts';

/**
 * OTLP's logs. A part is the record's body: its text, or JSON of what it is. Fields are attributes of the record, then
 * those of its scope and resource, under their own names.
 * @param type Content-Type; what is not JSON by it is protobuf
 */
export const otlpBody = (type: string) =>
  function* (bytes: Buffer, _: ParseContext): Generator<Part> {
    const records = /^application\/json\b/i.test(type) ? jsonRecords(bytes) : protobufRecords(bytes);
    for (const [record, source] of records) yield partOf(record, source);
  };

const apps = ['service.name', 'process.executable.name', 'k8s.container.name', 'container.name'];
const hosts = ['host.name', 'k8s.node.name', 'k8s.pod.name', 'host.id'];

const partOf = (record: OtlpRecord, source: OtlpSource): Part => {
  const { body } = record;
  const text = messageOf(body) || record.eventName;
  const raw = fromText(text);
  const find = (names: readonly string[]): ByteString => {
    for (const name of names)
      for (const attributes of [source.resource, record.attributes, source.scope.attributes])
        for (const [found, value] of attributes)
          if (found === name && value !== '' && (typeof value === 'string' || typeof value === 'number'))
            return fromText(String(value));
    return '';
  };
  const parsed: Parsed = {
    ...plainText(raw),
    claimed: nanosecondTime(record.time) ?? nanosecondTime(record.observed),
    host: asName(find(hosts)),
    app: asName(find(apps)),
    pid: asPid(find(['process.pid'])),
    severity: levelOfOtel(record.severityNumber),
    fields: fieldsOf(record, source),
    confidence: 100,
  };
  if (parsed.severity === none) parsed.severity = levelOf(record.severityText);
  if (!isObject(body)) lookInto(raw, parsed);
  return { bytes: toBytes(raw), raw, parsed };
};

const messageOf = (body: unknown): string => {
  if (body === null || body === undefined) return '';
  return typeof body === 'object' ? JSON.stringify(body) : String(body);
};

const fieldsOf = (record: OtlpRecord, source: OtlpSource): ByteString[] => {
  const scalars: [string, string][] = [];
  const add = (attributes: readonly Attribute[]): void => {
    if (scalars.length < mostFields && attributes.length > 0)
      scalars.push(...flatten(objectOf(attributes), mostFields - scalars.length));
  };
  const name = (field: string, value: string): void => {
    if (value !== '') scalars.push([field, value]);
  };
  name('trace_id', record.traceId);
  name('span_id', record.spanId);
  name('severity_text', record.severityText);
  name('event.name', record.eventName);
  add(record.attributes);
  if (isObject(record.body)) add(Object.entries(record.body));
  name('scope.name', source.scope.name);
  name('scope.version', source.scope.version);
  add(source.scope.attributes);
  add(source.resource);
  const fields: ByteString[] = [];
  pushScalars(fields, scalars);
  return fields;
};
