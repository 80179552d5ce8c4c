import { createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Readable, type Transform } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';

/** The actions of an Elasticsearch bulk body, in their order, one byte each (index into `actionNames`). */
export type BulkActions = Buffer;

export const actionNames = ['index', 'create', 'update', 'delete'] as const;

const LF = 0x0a;
/** Bytes that are looked at of what a compressed body unpacks to; the items of what comes later are missing. */
const mostUnpacked = 128 * 1024 * 1024;
const mostActions = 1_000_000;

/**
 * Counts what a bulk answer has to have an item for, after the body is stored: it decides nothing but the length of the
 * answer. A compressed body is unpacked as a stream, of which nothing is kept.
 */
export const bulkActions = async (body: readonly Buffer[], encoding: string): Promise<BulkActions> => {
  const counter = countActions();
  const unpack = unpacker(encoding);
  if (unpack === null)
    for (const piece of body) {
      counter.push(piece);
      // Others have their turn between two pieces.
      await turn();
    }
  else await unpackInto(unpack, body, counter.push);
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

/** Up to what can be unpacked: a damaged body has the items that come before the damage. */
const unpackInto = (
  unpack: Transform,
  body: readonly Buffer[],
  push: (bytes: Buffer) => void,
): Promise<void> =>
  new Promise((resolve) => {
    let length = 0;
    unpack.on('data', (bytes: Buffer) => {
      length += bytes.length;
      push(bytes);
      if (length > mostUnpacked) unpack.destroy();
    });
    unpack.on('error', () => resolve());
    unpack.on('close', () => resolve());
    Readable.from(body).pipe(unpack);
  });

/** A line is an action; the line after it is its document, except after `delete`. */
const countActions = (): { push(bytes: Buffer): void; end(): BulkActions } => {
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
      if (found.length < mostActions) found.push(action);
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
      return Buffer.from(found);
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
