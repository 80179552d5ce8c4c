import { maxNote } from '#vault/checkpoint';
import { hashSize, parseBase64, parseDecimal, VaultFormatError } from '#vault/tree';
import { encodeInner, maxInner, parseInner, type InnerPart } from './inner-part.ts';

/**
 * All that shows that one line is in the log. As a file it is a C2SP `tlog-proof@v1` whose leaf is the outer entry and
 * whose extra data is the inner part:
 *
 *     c2sp.org/tlog-proof@v1
 *     extra <base64 of the inner part>
 *     index <index of the outer entry>
 *     <base64>                    for each hash of the path in the outer log
 *
 *     <checkpoint, verbatim>
 */
export type LineProof = InnerPart & {
  /** Index of the outer entry. */
  index: number;
  outerPath: readonly Buffer[];
  /** The signed note, with whatever cosignatures it carries. */
  checkpoint: Buffer;
};

const kind = 'c2sp.org/tlog-proof@v1';

/** A log has fewer than 2^53 entries here. */
const maxNodes = 53;

const maxExtra = Math.ceil(maxInner / 3) * 4;

/** Most bytes that a proof file can have; nearly all of it is for a very long line. */
export const maxLineProof = maxExtra + maxNote + 64 * 1024;

/** Bytes of the longest line but for the extra data: a hash in base64, or the kind. */
const maxText = Math.ceil(hashSize / 3) * 4;

export const encodeLineProof = (proof: LineProof): Buffer =>
  Buffer.concat([
    Buffer.from(
      [
        kind,
        `extra ${encodeInner(proof).toString('base64')}`,
        `index ${proof.index}`,
        ...proof.outerPath.map((node) => node.toString('base64')),
        '\n',
      ].join('\n'),
    ),
    proof.checkpoint,
  ]);

/**
 * The parts of a proof file. Whoever wrote the bytes chose all of it: nothing has been checked but its form.
 * @throws VaultFormatError for anything that `encodeLineProof` would not have written
 */
export const parseLineProof = (bytes: Buffer): LineProof => {
  if (bytes.length > maxLineProof)
    throw new VaultFormatError(`${bytes.length} bytes: longer than a proof can be`);
  let at = 0;
  const textLine = (limit: number): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0 || end - at > limit)
      throw new VaultFormatError(`no line of at most ${limit} bytes at byte ${at}`);
    const text = bytes.toString('latin1', at, end);
    at = end + 1;
    return text;
  };

  if (textLine(maxText) !== kind) throw new VaultFormatError(`it does not begin with ${kind}`);
  const extra = textLine('extra '.length + maxExtra);
  if (!extra.startsWith('extra '))
    throw new VaultFormatError('it has no extra data: it proves an entry, but no line of Holdfast');
  const inner = parseBase64(extra.slice('extra '.length));
  if (inner === null) throw new VaultFormatError('its extra data are not canonical base64');
  const indexText = textLine(maxText);
  const index = indexText.startsWith('index ') ? parseDecimal(indexText.slice('index '.length)) : null;
  if (index === null) throw new VaultFormatError('it has no index');
  const outerPath: Buffer[] = [];
  for (let text = textLine(maxText); text !== ''; text = textLine(maxText)) {
    const node = parseBase64(text);
    if (node === null || node.length !== hashSize || outerPath.length === maxNodes)
      throw new VaultFormatError('its path is not of at most 53 hashes in canonical base64');
    outerPath.push(node);
  }
  return { ...parseInner(inner), index, outerPath, checkpoint: bytes.subarray(at) };
};
