import { messageOf } from '#base/errors';
import { fromBytes, type ByteString } from '../byte-string.ts';
import type { ParseContext } from '../parsed.ts';
import { bulkBody } from './bulk.ts';
import { gelfMessage } from './gelf.ts';
import { entriesOf, journalEntries } from './journal-entries.ts';
import { jsonLines } from './json-lines.ts';
import { lokiBody } from './loki.ts';
import { otlpBody } from './otlp.ts';
import { Damage, undecoded, type Part, type Reader } from './part.ts';
import type { Budget } from './budget.ts';
import type { BodyMeta } from './format.ts';
import { encodingByMagic, unpack } from './unpack.ts';

/**
 * The lines of a body, in its order; at least one. Never throws: what cannot be read, or is more than the budget allows,
 * is a line of its own, with the reason in its field `undecoded` and confidence 0.
 */
export function* readBody(
  body: Buffer,
  meta: BodyMeta,
  context: ParseContext,
  budget: Budget,
): Generator<Part> {
  const what = `${meta.format} body of ${body.length} bytes`;
  let parts = 0;
  try {
    const whole = unpacked(body, meta, budget);
    for (const part of readerOf(meta)(whole, context)) {
      if (!budget.allows(part)) {
        yield undecoded('more lines than are taken out of one entry', `rest of a ${what}`, null);
        return;
      }
      parts += 1;
      yield part;
    }
  } catch (error) {
    yield undecoded(
      error instanceof Damage ? error.message : `it could not be read (${messageOf(error)})`,
      parts === 0 ? what : `rest of a ${what}`,
      parts === 0 ? body : null,
    );
    return;
  }
  if (parts === 0) yield undecoded('it has no lines', what, body);
}

/** Entries of a compressed journal, none where it does not unpack. */
export const packedEntries = (body: Buffer, meta: BodyMeta, budget: Budget): ByteString[] => {
  try {
    return [...entriesOf(unpacked(body, meta, budget))].map(fromBytes);
  } catch {
    return [];
  }
};

/** @throws Damage */
const unpacked = (body: Buffer, { format, encoding }: BodyMeta, budget: Budget): Buffer => {
  const packed = format === 'gelf' && encoding === 'identity' ? encodingByMagic(body) : encoding;
  return budget.unpack(body, (most) => unpack(body, packed, most));
};

const readerOf = ({ format, type }: BodyMeta): Reader => {
  switch (format) {
    case 'otlp':
      return otlpBody(type);
    case 'loki':
      return lokiBody(type);
    case 'bulk':
      return bulkBody;
    case 'jsonl':
      return jsonLines;
    case 'gelf':
      return gelfMessage;
    case 'journal':
      return journalEntries;
  }
};
