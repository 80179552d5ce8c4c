import { asName, fromBytes, fromText, type ByteString } from '../byte-string.ts';
import { isObject, mostFields, pushScalars } from '../fields.ts';
import { none, plainText, type ParseContext, type Parsed } from '../parsed.ts';
import { micros, type Micros } from '#base/clock';
import { nanosecondTime } from './claimed-time.ts';
import { parseObject } from './document.ts';
import { levelOf } from './level.ts';
import { tooMuch } from './limits.ts';
import { Damage, lookInto, type Part } from './part.ts';
import { fieldsOf } from './protobuf.ts';

type Label = [name: string, value: string];
type Entry = { time: Micros | null; line: Buffer; metadata: Label[] };

/**
 * A push to Loki (https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs). A part is the line as it
 * was pushed; its labels and structured metadata are fields.
 * @param type Content-Type; what is not JSON by it is protobuf
 */
export const lokiBody = (type: string) =>
  function* (bytes: Buffer, _: ParseContext): Generator<Part> {
    const streams = /^application\/json\b/i.test(type) ? jsonStreams(bytes) : protobufStreams(bytes);
    for (const [labels, entries] of streams) for (const entry of entries) yield partOf(labels, entry);
  };

type Stream = readonly [labels: Label[], entries: Iterable<Entry>];

const apps = [
  'service_name',
  'app',
  'app_kubernetes_io_name',
  'application',
  'SYSLOG_IDENTIFIER',
  'syslog_identifier',
  'container',
  'unit',
  'job',
];
const hosts = ['host', 'hostname', 'host_name', 'node_name', 'nodename', 'node', 'instance'];
const levels = ['level', 'severity', 'detected_level', 'severity_text', 'priority'];

const partOf = (labels: readonly Label[], { time, line, metadata }: Entry): Part => {
  const raw = fromBytes(line);
  const all = [...metadata, ...labels];
  const find = (names: readonly string[]): ByteString => {
    for (const name of names)
      for (const [found, value] of all) if (found === name && value !== '') return fromText(value);
    return '';
  };
  const fields: ByteString[] = [];
  pushScalars(fields, all.slice(0, mostFields));
  const parsed: Parsed = {
    ...plainText(raw),
    claimed: time,
    app: asName(find(apps)),
    host: asName(find(hosts)),
    severity: levelOf(find(levels)),
    fields,
    confidence: 90,
  };
  const known = parsed.severity;
  lookInto(raw, parsed);
  if (known !== none) parsed.severity = known;
  return { bytes: line, raw, parsed };
};

function* jsonStreams(bytes: Buffer): Generator<Stream> {
  const root = parseObject(bytes);
  if (root === null) throw new Damage(tooMuch(bytes) ?? 'it is no JSON object');
  const { streams } = root;
  if (!Array.isArray(streams)) return;
  for (const stream of streams.filter(isObject)) {
    const { values } = stream;
    yield [labelsOf(stream['stream']), (Array.isArray(values) ? values : []).map(jsonEntry)];
  }
}

const jsonEntry = (value: unknown): Entry => {
  const [time, line, metadata]: unknown[] = Array.isArray(value) ? value : [undefined, JSON.stringify(value)];
  return {
    time: nanosecondTime(String(time)),
    line: Buffer.from(typeof line === 'string' ? line : (JSON.stringify(line) ?? '')),
    metadata: labelsOf(metadata),
  };
};

const labelsOf = (value: unknown): Label[] =>
  isObject(value)
    ? Object.entries(value).map(([name, one]): Label => [name, typeof one === 'string' ? one : asText(one)])
    : [];

const asText = (value: unknown): string => JSON.stringify(value) ?? '';

/** PushRequest of Loki's logproto.proto. @throws Damage */
function* protobufStreams(bytes: Buffer): Generator<Stream> {
  for (const { number, bytes: stream } of fieldsOf(bytes)) {
    if (number !== 1) continue;
    let labels: Label[] = [];
    for (const field of fieldsOf(stream))
      if (field.number === 1) labels = parseLabels(field.bytes.toString('utf8'));
    yield [labels, protobufEntries(stream)];
  }
}

function* protobufEntries(stream: Buffer): Generator<Entry> {
  for (const { number: kind, bytes: entry } of fieldsOf(stream)) {
    if (kind !== 2) continue;
    let time: Micros | null = null;
    let line: Buffer = Buffer.alloc(0);
    const metadata: Label[] = [];
    for (const { number, bytes } of fieldsOf(entry)) {
      if (number === 1) time = timestamp(bytes);
      else if (number === 2) line = bytes;
      else if (number === 3) metadata.push(labelPair(bytes));
    }
    yield { time, line, metadata };
  }
}

const timestamp = (message: Buffer): Micros | null => {
  let seconds = 0;
  let nanos = 0;
  for (const { number, bits } of fieldsOf(message)) {
    if (number === 1) seconds = Number(BigInt.asIntN(64, bits));
    else if (number === 2) nanos = Number(BigInt.asIntN(32, bits));
  }
  const time = seconds * 1_000_000 + Math.floor(nanos / 1000);
  return Number.isSafeInteger(time) && time > 0 ? micros(time) : null;
};

const labelPair = (message: Buffer): Label => {
  const pair: Label = ['', ''];
  for (const { number, bytes } of fieldsOf(message))
    if (number === 1 || number === 2) pair[number - 1] = bytes.toString('utf8');
  return pair;
};

const mostLabels = 256;
const label = /\s*([A-Za-z_][\w.:-]*)\s*=\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*,?/y;

/** `{app="x", host="y"}`, values quoted as Go quotes them. What follows something else is left out. */
export const parseLabels = (text: string): Label[] => {
  const labels: Label[] = [];
  label.lastIndex = text.indexOf('{') + 1;
  for (let match = label.exec(text); match !== null && labels.length < mostLabels; match = label.exec(text))
    labels.push([match[1] ?? '', unquoted(match[2] ?? '')]);
  return labels;
};

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** https://go.dev/ref/spec#String_literals */
const unquoted = (quoted: string): string => {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith('`') || !inner.includes('\\')) return inner;
  return inner.replace(
    /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})|(.))/gs,
    (whole, x?: string, u?: string, long?: string, octal?: string, one?: string) => {
      if (one !== undefined) return escapes[one] ?? one;
      const code = octal === undefined ? parseInt(x ?? u ?? long ?? '', 16) : parseInt(octal, 8);
      return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
    },
  );
};
