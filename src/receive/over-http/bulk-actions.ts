import { createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Readable, type Transform } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

/** The actions of an Elasticsearch bulk body, in their order, one byte each (index into `actionNames`). */
export type BulkActions = Buffer;

export const actionNames = ['index', 'create', 'update', 'delete'] as const;

const LF = 0x0a;
/** As much as the indexer takes of one body (src/index/parse/bodies): beyond it nothing would be found. */
export const bulkLimits = { unpacked: 64 * 1024 * 1024, actions: 500_000 } as const;

/**
 * Counts what a bulk answer has to have an item for. A compressed body is unpacked as a stream, of which nothing is kept.
 * @returns `null` where it is more than can be answered for: it is to be sent in smaller pieces
 */
export const bulkActions = async (
  body: readonly Buffer[],
  encoding: string,
  limits: { unpacked: number; actions: number } = bulkLimits,
): Promise<BulkActions | null> => {
  const counter = countActions(limits.actions);
  const unpack = unpacker(encoding);
  if (unpack === null)
    for (const piece of body) {
      counter.push(piece);
      // Others have their turn between two pieces.
      await turn();
    }
  else if (!(await unpackInto(unpack, body, limits.unpacked, counter.push))) return null;
  return counter.end();
};

const unpacker = (encoding: string): Transform | null => {
  switch (encoding) {
    case 'gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'zstd':
      return createZstdDecompress();
    default:
      return null;
  }
};

/**
 * Up to what can be unpacked: a damaged body has the items that come before the damage.
 * @returns whether it was no more than `most`
 */
const unpackInto = (
  unpack: Transform,
  body: readonly Buffer[],
  most: number,
  push: (bytes: Buffer) => void,
): Promise<boolean> =>
  new Promise((resolve) => {
    let length = 0;
    unpack.on('data', (bytes: Buffer) => {
      length += bytes.length;
      push(bytes);
      if (length > most) unpack.destroy();
    });
    unpack.on('error', () => resolve(length <= most));
    unpack.on('close', () => resolve(length <= most));
    Readable.from(body).pipe(unpack);
  });

/** A line is an action; the line after it is its document, except after `delete`. */
const countActions = (most: number): { push(bytes: Buffer): void; end(): BulkActions | null } => {
  const found: number[] = [];
  let isDocument = false;
  /** Begin of the unfinished line, as far as it is needed. */
  let begun = '';
  let isEmpty = true;

  const lineEnds = (): void => {
    if (isEmpty) return;
    if (isDocument) isDocument = false;
    else {
      const name = /^\s*\{\s*"(index|create|update|delete)"/.exec(begun)?.[1];
      const action = Math.max(
        0,
        actionNames.findIndex((one) => one === name),
      );
      if (found.length <= most) found.push(action);
      isDocument = name !== 'delete';
    }
    begun = '';
    isEmpty = true;
  };
  const more = (bytes: Buffer): void => {
    if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0x0d)) return;
    isEmpty = false;
    if (!isDocument && begun.length < 32) begun += bytes.toString('latin1', 0, 32);
  };

  return {
    push(bytes) {
      let at = 0;
      for (;;) {
        const end = bytes.indexOf(LF, at);
        more(bytes.subarray(at, end < 0 ? bytes.length : end));
        if (end < 0) return;
        lineEnds();
        at = end + 1;
      }
    },
    end() {
      lineEnds();
      return found.length > most ? null : Buffer.from(found);
    },
  };
};

/** The answer to a bulk request, piece by piece: it may be larger than the body. */
export function* bulkAnswer(actions: BulkActions): Generator<string> {
  yield '{"took":0,"errors":false,"items":[';
  const items = actionNames.map((name) =>
    JSON.stringify({
      [name]: { _index: 'holdfast', status: name === 'index' || name === 'create' ? 201 : 200 },
    }),
  );
  let piece: string[] = [];
  for (const [n, action] of actions.entries()) {
    piece.push(`${n === 0 ? '' : ','}${items[action] ?? ''}`);
    if (piece.length < 1000) continue;
    yield piece.join('');
    piece = [];
  }
  yield `${piece.join('')}]}\n`;
}
