import {
  hashSize,
  maxBatchLines,
  maxEntry,
  maxSegment,
  parseDecimal,
  parseHash,
  saltSize,
  VaultFormatError,
} from '#vault/tree';

/**
 * What leads from one line to its outer entry: the `extra` of a proof file. Text lines, each ended by LF, and two pieces
 * of bytes whose lengths are given (docs/formats/proof.md):
 *
 *     holdfast.line-proof/v1
 *     line <line> <lines in the batch>
 *     salt <32 hex>
 *     node <64 hex>               for each hash of the path, from the leaf's sibling to the root's child
 *     entry <length>
 *     <outer entry>record <length>
 *     <record>
 */
export type InnerPart = {
  /** Number of the line in its batch; 0 is the manifest. */
  line: number;
  lineCount: number;
  /** 16 bytes */
  salt: Buffer;
  innerPath: readonly Buffer[];
  /** Bytes of the outer entry. */
  entry: Buffer;
  /** Bytes of the record, with its length word. */
  record: Buffer;
};

const kind = 'holdfast.line-proof/v1';

/** A path in a tree of at most 65,536 leaves. */
const maxNodes = 16;

/** Bytes of the longest line of text: `node ` and a hash. */
const maxText = 'node '.length + 2 * hashSize;

/** Most bytes that an inner part can have: a record is smaller than the segment it comes from. */
export const maxInner = maxSegment + maxEntry + (maxNodes + 5) * (maxText + 1);

export const encodeInner = ({ line, lineCount, salt, innerPath, entry, record }: InnerPart): Buffer =>
  Buffer.concat([
    Buffer.from(
      [
        kind,
        `line ${line} ${lineCount}`,
        `salt ${salt.toString('hex')}`,
        ...innerPath.map((node) => `node ${node.toString('hex')}`),
        `entry ${entry.length}\n`,
      ].join('\n'),
    ),
    entry,
    Buffer.from(`record ${record.length}\n`),
    record,
  ]);

/** The parts, as views. @throws VaultFormatError for anything that `encodeInner` would not have written */
export const parseInner = (bytes: Buffer): InnerPart => {
  let at = 0;
  const textLine = (): string => {
    const end = bytes.subarray(at, at + maxText + 1).indexOf(0x0a);
    if (end < 0) throw new VaultFormatError(`inner part: no line of text at byte ${at}`);
    const text = bytes.toString('latin1', at, at + end);
    at += end + 1;
    return text;
  };
  const field = <T>(text: string, name: string, parse: (value: string) => T | null): T => {
    const value = text.startsWith(`${name} `) ? parse(text.slice(name.length + 1)) : null;
    if (value === null) throw new VaultFormatError(`inner part: no "${name}" where one should be`);
    return value;
  };
  const piece = (name: string, text: string, limit: number): Buffer => {
    const length = field(text, name, parseDecimal);
    if (length > limit || at + length > bytes.length)
      throw new VaultFormatError(`inner part: its ${name} of ${length} bytes is too long`);
    at += length;
    return bytes.subarray(at - length, at);
  };

  if (textLine() !== kind) throw new VaultFormatError(`inner part is not ${kind}`);
  const [line, lineCount] = field(textLine(), 'line', parsePair);
  if (lineCount > maxBatchLines || line >= lineCount)
    throw new VaultFormatError(`inner part: there is no line ${line} among ${lineCount}`);
  const salt = field(textLine(), 'salt', parseSalt);
  const innerPath: Buffer[] = [];
  let text = textLine();
  while (text.startsWith('node ')) {
    if (innerPath.length === maxNodes)
      throw new VaultFormatError(`inner part: more than ${maxNodes} nodes in its path`);
    innerPath.push(field(text, 'node', parseHash));
    text = textLine();
  }
  const entry = piece('entry', text, maxEntry);
  const record = piece('record', textLine(), maxSegment);
  if (at !== bytes.length) throw new VaultFormatError('inner part: bytes after its record');
  return { line, lineCount, salt, innerPath, entry, record };
};

const parsePair = (value: string): readonly [number, number] | null => {
  const [first = null, second = null, ...rest] = value.split(' ').map(parseDecimal);
  return first === null || second === null || rest.length > 0 ? null : [first, second];
};

const parseSalt = (value: string): Buffer | null => {
  const bytes = Buffer.from(value, 'hex');
  return bytes.length === saltSize && bytes.toString('hex') === value ? bytes : null;
};
