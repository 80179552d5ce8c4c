import { micros, type Micros } from '#base/clock';
import { isEntryText, parseWord, VaultFormatError } from '#vault/tree';

/** What a person asks of the keeper, which has no network. JSON; every one names who asks (`by`). */
export type KeeperRequest =
  | {
      kind: 'expire';
      /** Outer entries `first` to `end` − 1. */
      entries: { first: number; end: number };
      /** Only batches of this retention class. */
      class: string;
      /** `[a-z0-9-]{1,32}`, e.g. `older-than-400d` */
      policy: string;
      /** The keeper refuses if a batch of the range has a line that was received at this time or later. */
      before: Micros;
      by: string;
    }
  | { kind: 'hold'; entries: { first: number; end: number }; reason: string; by: string }
  | { kind: 'release'; hold: number; reason: string; by: string }
  | { kind: 'redact'; entry: number; line: number; reason: string; by: string }
  | { kind: 'rotate-key'; reason: string; by: string };

/** What the keeper answers. */
export type KeeperAnswer =
  | {
      done: true;
      /** Index of the entry that stands for it in the log. */
      entry: number;
      /** What the person should know: what is left, and until when. */
      notes: readonly string[];
    }
  | { done: false; code: string; message: string };

/** Bytes of a request or an answer. */
export const maxRequest = 16 * 1024;

/** Names of files in keys/requests/; an id is 16 hexadecimal digits. */
export const requestNames = (id: string): { asked: string; taken: string; result: string } => ({
  asked: `${id}.json`,
  taken: `${id}.taken`,
  result: `${id}.result.json`,
});

export const isRequestId = (id: string): boolean => /^[0-9a-f]{16}$/.test(id);

export const encodeRequest = (request: KeeperRequest): Buffer => Buffer.from(`${JSON.stringify(request)}\n`);

export const encodeAnswer = (answer: KeeperAnswer): Buffer => Buffer.from(`${JSON.stringify(answer)}\n`);

/** @throws VaultFormatError says what is wrong with it, in words for the person who sent it */
export const parseRequest = (bytes: Buffer): KeeperRequest => {
  const fields = fieldsOf(bytes);
  const request = readRequest(fields);
  const known = Object.keys(request);
  for (const name of fields.keys())
    if (!known.includes(name)) throw new VaultFormatError(`the request has a field "${name}" too many`);
  return request;
};

const readRequest = (fields: ReadonlyMap<string, unknown>): KeeperRequest => {
  const by = textOf(fields, 'by');
  const kind = fields.get('kind');
  switch (kind) {
    case 'expire':
      return {
        kind,
        entries: rangeOf(fields),
        class: wordOf(fields, 'class'),
        policy: wordOf(fields, 'policy'),
        before: micros(countOf(fields.get('before'), 'before')),
        by,
      };
    case 'hold':
      return { kind, entries: rangeOf(fields), reason: textOf(fields, 'reason'), by };
    case 'release':
      return { kind, hold: countOf(fields.get('hold'), 'hold'), reason: textOf(fields, 'reason'), by };
    case 'redact':
      return {
        kind,
        entry: countOf(fields.get('entry'), 'entry'),
        line: countOf(fields.get('line'), 'line'),
        reason: textOf(fields, 'reason'),
        by,
      };
    case 'rotate-key':
      return { kind, reason: textOf(fields, 'reason'), by };
    default:
      throw new VaultFormatError('the request is of a kind that this keeper does not know');
  }
};

/** @throws VaultFormatError */
export const parseAnswer = (bytes: Buffer): KeeperAnswer => {
  const fields = fieldsOf(bytes);
  if (fields.get('done') === true) {
    const notes = fields.get('notes');
    return {
      done: true,
      entry: countOf(fields.get('entry'), 'entry'),
      notes: Array.isArray(notes) ? notes.map(String) : [],
    };
  }
  if (fields.get('done') !== false) throw new VaultFormatError('the answer says neither done nor not done');
  return { done: false, code: String(fields.get('code')), message: String(fields.get('message')) };
};

const fieldsOf = (bytes: Buffer): Map<string, unknown> => {
  if (bytes.length > maxRequest) throw new VaultFormatError(`longer than ${maxRequest} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new VaultFormatError('it is no JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new VaultFormatError('it is no JSON object');
  return new Map(Object.entries(value));
};

const textOf = (fields: ReadonlyMap<string, unknown>, name: string): string => {
  const value = fields.get(name);
  if (typeof value !== 'string' || !isEntryText(value))
    throw new VaultFormatError(`"${name}" must be 1 to 200 characters of printable ASCII`);
  return value;
};

const wordOf = (fields: ReadonlyMap<string, unknown>, name: string): string => {
  const value = fields.get(name);
  const word = typeof value === 'string' ? parseWord(value) : null;
  if (word === null) throw new VaultFormatError(`"${name}" must be 1 to 32 of a-z, 0-9 and -`);
  return word;
};

const countOf = (value: unknown, name: string): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new VaultFormatError(`"${name}" must be a whole number`);
  return value;
};

const rangeOf = (fields: ReadonlyMap<string, unknown>): { first: number; end: number } => {
  const value: unknown = fields.get('entries');
  if (typeof value !== 'object' || value === null || !('first' in value) || !('end' in value))
    throw new VaultFormatError('"entries" must have first and end');
  const range = { first: countOf(value.first, 'first'), end: countOf(value.end, 'end') };
  if (Object.keys(value).length !== 2 || range.end <= range.first)
    throw new VaultFormatError('"entries" must be a range that is not empty');
  return range;
};
