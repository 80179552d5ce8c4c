import { asName, fromText, toBytes, type ByteString } from '../byte-string.ts';
import { flatten, isObject, longestValue, mostFields, pushScalars } from '../fields.ts';
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
const pid = 'process.pid';
const isSender: ReadonlySet<string> = new Set([...apps, ...hosts, pid]);

/** What rows take of attributes: bounded, as their sender chose how many there are and how long. */
type Digest = {
  /** Those that name the sender. */
  named: ReadonlyMap<string, string>;
  scalars: readonly [name: string, value: string][];
};

/** Characters that may still count: `boundValue` and `asName` cut what is longer, and show that they did. */
const mostCharacters = longestValue + 1;

const digest = (attributes: readonly Attribute[]): Digest => {
  const named = new Map<string, string>();
  for (const [name, value] of attributes)
    if (isSender.has(name) && !named.has(name) && value !== '')
      if (typeof value === 'string' || typeof value === 'number')
        named.set(name, String(value).slice(0, mostCharacters));
  const scalars = attributes.length === 0 ? [] : flatten(objectOf(attributes), mostFields);
  return { named, scalars: scalars.map(([name, value]) => [cut(name), cut(value)]) };
};

const cut = (text: string): string => text.slice(0, mostCharacters);

/** Of what many records share: done once, or a long resource would be gone through again for each of its records. */
const shared = new WeakMap<readonly Attribute[], Digest>();

const sharedDigest = (attributes: readonly Attribute[]): Digest => {
  let found = shared.get(attributes);
  if (found === undefined) {
    found = digest(attributes);
    shared.set(attributes, found);
  }
  return found;
};

const partOf = (record: OtlpRecord, source: OtlpSource): Part => {
  const { body } = record;
  const own = digest(record.attributes);
  const resource = sharedDigest(source.resource);
  const scope = sharedDigest(source.scope.attributes);
  const text = messageOf(body) || record.eventName;
  const raw = fromText(text);
  const find = (names: readonly string[]): ByteString => {
    for (const name of names) {
      const value = resource.named.get(name) ?? own.named.get(name) ?? scope.named.get(name);
      if (value !== undefined) return fromText(value);
    }
    return '';
  };
  const parsed: Parsed = {
    ...plainText(raw),
    claimed: nanosecondTime(record.time) ?? nanosecondTime(record.observed),
    host: asName(find(hosts)),
    app: asName(find(apps)),
    pid: asPid(find([pid])),
    severity: levelOfOtel(record.severityNumber),
    fields: fieldsOf(record, source.scope, { own, scope, resource }),
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

const fieldsOf = (
  record: OtlpRecord,
  library: OtlpSource['scope'],
  { own, scope, resource }: { own: Digest; scope: Digest; resource: Digest },
): ByteString[] => {
  const scalars: [string, string][] = [];
  const add = (digested: Digest): void => {
    if (scalars.length < mostFields) scalars.push(...digested.scalars.slice(0, mostFields - scalars.length));
  };
  const name = (field: string, value: string): void => {
    if (value !== '') scalars.push([field, cut(value)]);
  };
  name('trace_id', record.traceId);
  name('span_id', record.spanId);
  name('severity_text', record.severityText);
  name('event.name', record.eventName);
  add(own);
  if (isObject(record.body)) add(digest(Object.entries(record.body)));
  name('scope.name', library.name);
  name('scope.version', library.version);
  add(scope);
  add(resource);
  const fields: ByteString[] = [];
  pushScalars(fields, scalars);
  return fields;
};
