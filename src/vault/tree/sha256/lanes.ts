import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainLeaf, type Hashing } from './plain.ts';

/** The part of it that is used here. It is always there: Node itself needs it to load TypeScript. */
declare const WebAssembly: {
  validate(bytes: Buffer): boolean;
  Module: new (bytes: Buffer) => object;
  Instance: new (module: object) => { exports: unknown };
};

/** See lanes.as. */
type Exports = {
  memory: { buffer: ArrayBuffer };
  free(): number;
  leaves(lines: number, offsets: number, salts: number, count: number, leaves: number): void;
  root(row: number, count: number): void;
};

/** Lines that are hashed at once, and the bytes of them: what a core's cache holds, and not a batch's worth. */
const maxLines = 8192;
const maxBytes = 512 * 1024;
/** Hashes of a tree that is hashed at once: a power of two. */
const maxRow = 32_768;
/** A line with its prefix, padded, has up to 32 blocks in a lane; for a longer one a call of OpenSSL is the faster. */
const maxLaneLine = 32 * 64 - 9 - 17;
/** What a lane may read beyond an area. */
const slack = 256;

const open = (): Hashing | null => {
  const bytes = readFileSync(join(import.meta.dirname, 'lanes.wasm'));
  // With SIMD in it, it is valid only where there is SIMD.
  if (!WebAssembly.validate(bytes)) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // The module is this project's own, and a test compiles it again.
  return over(exports as Exports);
};

let opened: Hashing | null | undefined;

/**
 * SHA-256 of many messages, four at a time, by the module beside this file. It has 1.2 MB of memory of its own in each
 * thread, whatever it is given.
 * @returns `null` where WebAssembly has no SIMD
 */
export const lanes = (): Hashing | null => {
  if (opened === undefined) opened = open();
  return opened;
};

const over = ({ memory, free, leaves, root }: Exports): Hashing => {
  const row = free();
  const salts = row;
  const made = salts + maxLines * 16;
  const offsets = made + maxLines * 32;
  const lines = offsets + (maxLines + 1) * 4 + 60;
  const bytes = Buffer.from(memory.buffer);
  const words = new Uint32Array(memory.buffer);
  if (Math.max(row + maxRow * 32, lines + maxBytes) + slack > bytes.length)
    throw new RangeError('lanes.wasm has less memory than this program needs');

  const subtree = (hashes: Buffer): Buffer => {
    bytes.set(hashes, row);
    root(row, hashes.length / 32);
    return Buffer.from(bytes.subarray(row, row + 32));
  };

  const rootOf = (hashes: Buffer): Buffer => {
    const size = maxRow * 32;
    if (hashes.length <= size) return subtree(hashes);
    const above: Buffer[] = [];
    for (let at = 0; at < hashes.length; at += size) above.push(subtree(hashes.subarray(at, at + size)));
    return rootOf(Buffer.concat(above));
  };

  return {
    root: rootOf,
    leaves(records, starts, allSalts) {
      const total = starts.length - 1;
      const found = Buffer.allocUnsafe(total * 32);
      for (let first = 0; first < total;) {
        const from = starts[first] ?? 0;
        let end = first;
        const long: number[] = [];
        while (end < total && end - first < maxLines && (starts[end + 1] ?? 0) - from <= maxBytes) {
          if ((starts[end + 1] ?? 0) - (starts[end] ?? 0) > maxLaneLine) long.push(end);
          end++;
        }
        if (end === first) {
          // A single line that is larger than the area.
          long.push(end);
          end++;
        } else {
          bytes.set(records.subarray(from, starts[end]), lines);
          bytes.set(allSalts.subarray(first * 16, end * 16), salts);
          words.set(starts.subarray(first, end + 1), offsets / 4);
          leaves(lines - from, offsets, salts, end - first, made);
          found.set(bytes.subarray(made, made + (end - first) * 32), first * 32);
        }
        for (const line of long) {
          const salt = allSalts.subarray(line * 16, (line + 1) * 16);
          plainLeaf(salt, records.subarray(starts[line], starts[line + 1])).copy(found, line * 32);
        }
        first = end;
      }
      return found;
    },
  };
};
