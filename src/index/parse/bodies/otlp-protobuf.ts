import { fieldsOf } from './protobuf.ts';
import { deepest, objectOf, type Attribute, type OtlpRecord, type OtlpSource } from './otlp-value.ts';

/**
 * LogRecords of an ExportLogsServiceRequest, with where they come from; field numbers are those of
 * opentelemetry-proto's logs.proto, common.proto and resource.proto.
 * @throws Damage
 */
export function* protobufRecords(request: Buffer): Generator<readonly [OtlpRecord, OtlpSource]> {
  for (const { number, bytes } of fieldsOf(request)) if (number === 1) yield* resourceLogs(bytes);
}

function* resourceLogs(message: Buffer): Generator<readonly [OtlpRecord, OtlpSource]> {
  // A resource may come after what it is of. All is gone through twice: a list of what is there could be far longer than
  // what is taken of it.
  let resource: Attribute[] = [];
  for (const { number, bytes } of fieldsOf(message)) if (number === 1) resource = attributesIn(bytes, 1);
  // 1000 was InstrumentationLibraryLogs, which had the same fields.
  for (const { number, bytes } of fieldsOf(message))
    if (number === 2 || number === 1000) yield* scopeLogs(bytes, resource);
}

function* scopeLogs(message: Buffer, resource: Attribute[]): Generator<readonly [OtlpRecord, OtlpSource]> {
  let scope: OtlpSource['scope'] = { name: '', version: '', attributes: [] };
  for (const { number, bytes } of fieldsOf(message)) if (number === 1) scope = scopeOf(bytes);
  for (const { number, bytes } of fieldsOf(message))
    if (number === 2) yield [recordOf(bytes), { resource, scope }];
}

const scopeOf = (message: Buffer): OtlpSource['scope'] => {
  const scope = { name: '', version: '', attributes: attributesIn(message, 3) };
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) scope.name = bytes.toString('utf8');
    else if (number === 2) scope.version = bytes.toString('utf8');
  }
  return scope;
};

const recordOf = (message: Buffer): OtlpRecord => {
  const record = { ...emptyRecord };
  const attributes: Attribute[] = [];
  for (const { number, bits, bytes } of fieldsOf(message)) {
    switch (number) {
      case 1:
        record.time = String(bits);
        break;
      case 2:
        record.severityNumber = Number(bits);
        break;
      case 3:
        record.severityText = bytes.toString('utf8');
        break;
      case 5:
        record.body = anyValue(bytes, 0);
        break;
      case 6:
        attributes.push(keyValue(bytes, 0));
        break;
      case 9:
        record.traceId = bytes.toString('hex');
        break;
      case 10:
        record.spanId = bytes.toString('hex');
        break;
      case 11:
        record.observed = String(bits);
        break;
      case 12:
        record.eventName = bytes.toString('utf8');
    }
  }
  return { ...record, attributes };
};

const emptyRecord: OtlpRecord = {
  time: '0',
  observed: '0',
  severityNumber: 0,
  severityText: '',
  body: null,
  attributes: [],
  traceId: '',
  spanId: '',
  eventName: '',
};

const attributesIn = (message: Buffer, wanted: number): Attribute[] => {
  const attributes: Attribute[] = [];
  for (const { number, bytes } of fieldsOf(message))
    if (number === wanted) attributes.push(keyValue(bytes, 0));
  return attributes;
};

const keyValue = (message: Buffer, depth: number): Attribute => {
  let name = '';
  let value: unknown = null;
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) name = bytes.toString('utf8');
    else if (number === 2) value = anyValue(bytes, depth);
  }
  return [name, value];
};

const anyValue = (message: Buffer, depth: number): unknown => {
  let value: unknown = null;
  if (depth >= deepest) return '\u2026';
  for (const { number, bits, bytes } of fieldsOf(message)) {
    switch (number) {
      case 1:
        value = bytes.toString('utf8');
        break;
      case 2:
        value = bits !== 0n;
        break;
      case 3:
        value = integer(BigInt.asIntN(64, bits));
        break;
      case 4:
        value = double(bits);
        break;
      case 5:
        value = [...fieldsOf(bytes)].flatMap((one) =>
          one.number === 1 ? [anyValue(one.bytes, depth + 1)] : [],
        );
        break;
      case 6:
        value = objectOf(
          [...fieldsOf(bytes)].flatMap((one) => (one.number === 1 ? [keyValue(one.bytes, depth + 1)] : [])),
        );
        break;
      case 7:
        value = bytes.toString('base64');
    }
  }
  return value;
};

/** JSON has no number that would be exact beyond ±2⁵³. */
const integer = (value: bigint): number | string =>
  Number.isSafeInteger(Number(value)) ? Number(value) : String(value);

const double = (bits: bigint): number | string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(bits);
  const value = bytes.readDoubleLE();
  return Number.isFinite(value) ? value : String(value);
};
