import { constants } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import { deliveryFixed } from './delivery.ts';
import { parseDelivery, type Delivery } from './parse-delivery.ts';
import { isIntakeName, type IntakePosition } from './position.ts';

/** What the next piece of intake is. Offsets are bytes in the file. */
export type IntakePiece =
  /** Whole deliveries, in order; views that the next call of `next` overwrites. */
  | { kind: 'deliveries'; file: string; from: number; deliveries: Delivery[] }
  /**
   * Bytes that are no delivery. `torn intake`: the receiver died while it wrote them, nobody was told that they are
   * safe. `damaged intake`: they were whole once, or nobody knows.
   */
  | { kind: 'lost'; file: string; from: number; bytes: number; cause: 'torn intake' | 'damaged intake' }
  /** The file is at its end, and a newer one exists: nothing will be added to it. */
  | { kind: 'finished'; file: string; state: 'done' | 'damaged' };

export type IntakeReader = {
  /** The next piece, or `null` when everything whole that is there has been read. */
  next(): Promise<IntakePiece | null>;
  close(): Promise<void>;
};

/** Bytes that are read at once. */
const readAhead = 8 * 1024 * 1024;

type Current = {
  name: string;
  handle: FileHandle;
  /** Of the first byte in the buffer. */
  offset: number;
  /** Reading stopped because the bytes there make no sense; the rest waits for the file to be finished. */
  damaged: boolean;
  /** How often bytes that make no sense were read again before they were believed. */
  doubts: number;
};

/** A reader may see a write before it is whole, on some file systems: such bytes are read again so many times. */
const maxDoubts = 4;

/**
 * Reads intake files in the order of their names, each from where `position` says. The receiver only ever appends to
 * the newest one, so every other is finished when it is read to its end.
 * @param position how far intake was taken; read, not changed
 */
export const openIntakeReader = ({
  dir,
  position,
}: {
  dir: string;
  position: IntakePosition;
}): IntakeReader => {
  let buffer: Buffer = Buffer.allocUnsafeSlow(readAhead);
  /** Bytes of the buffer that hold data, and the ones already given out. */
  let filled = 0;
  let taken = 0;
  let current: Current | null = null;
  const finished = new Set<string>();

  const pending = async (): Promise<string[]> => {
    const names = (await readdir(dir)).filter(isIntakeName).sort();
    return names.filter((name) => typeof (position.get(name) ?? 0) === 'number' && !finished.has(name));
  };

  const begin = async (name: string): Promise<void> => {
    const handle = await open(join(dir, name), constants.O_RDONLY | constants.O_NOFOLLOW);
    const at = position.get(name);
    current = { name, handle, offset: typeof at === 'number' ? at : 0, damaged: false, doubts: 0 };
    filled = 0;
    taken = 0;
  };

  /** Moves what is left to the front, makes room for `need` bytes and reads on. @returns bytes read */
  const readMore = async (file: Current, need: number): Promise<number> => {
    buffer.copyWithin(0, taken, filled);
    file.offset += taken;
    filled -= taken;
    taken = 0;
    if (need > buffer.length) {
      const larger = Buffer.allocUnsafeSlow(need);
      buffer.copy(larger, 0, 0, filled);
      buffer = larger;
    } else if (need <= readAhead && buffer.length > readAhead && filled <= readAhead) {
      const smaller = Buffer.allocUnsafeSlow(readAhead);
      buffer.copy(smaller, 0, 0, filled);
      buffer = smaller;
    }
    const { bytesRead } = await file.handle.read(
      buffer,
      filled,
      buffer.length - filled,
      file.offset + filled,
    );
    filled += bytesRead;
    return bytesRead;
  };

  /** Gives out what is whole in the buffer; `need` says how much the next delivery wants. */
  const take = (file: Current): { piece: IntakePiece | null; need: number } => {
    const from = file.offset + taken;
    const deliveries: Delivery[] = [];
    const held = buffer.subarray(0, filled);
    for (;;) {
      const parsed = parseDelivery(held, taken);
      if (parsed.kind === 'whole') {
        deliveries.push(parsed.delivery);
        taken += parsed.delivery.length;
        if (taken < filled) continue;
      }
      const need = parsed.kind === 'incomplete' ? parsed.need : 0;
      if (deliveries.length > 0)
        return { piece: { kind: 'deliveries', file: file.name, from, deliveries }, need };
      if (parsed.kind !== 'damaged') return { piece: null, need };
      if (file.doubts < maxDoubts) {
        file.doubts += 1;
        filled = taken;
        return { piece: null, need: 0 };
      }
      // A length can be believed when another delivery begins where it ends; else nothing after it can be told apart.
      const nextAt = taken + parsed.length;
      const next = parsed.length > 0 ? parseDelivery(held, nextAt).kind : 'damaged';
      if (next === 'damaged') {
        file.damaged = true;
        return { piece: null, need: 0 };
      }
      if (next === 'incomplete' && nextAt + 4 > filled)
        return { piece: null, need: parsed.length + deliveryFixed };
      taken = nextAt;
      file.doubts = 0;
      return {
        piece: { kind: 'lost', file: file.name, from, bytes: parsed.length, cause: 'damaged intake' },
        need: 0,
      };
    }
  };

  /** At the end of a file that no longer grows: says what is left of it, then that it is finished. */
  const finish = async (file: Current): Promise<IntakePiece> => {
    const { size } = await file.handle.stat();
    if (taken < filled && parseDelivery(buffer.subarray(0, filled), taken).kind === 'damaged')
      file.damaged = true;
    const from = file.offset + taken;
    const bytes = Math.max(0, size - from);
    file.offset = size;
    filled = 0;
    taken = 0;
    if (bytes > 0)
      return {
        kind: 'lost',
        file: file.name,
        from,
        bytes,
        cause: file.damaged ? 'damaged intake' : 'torn intake',
      };
    await file.handle.close();
    current = null;
    finished.add(file.name);
    return { kind: 'finished', file: file.name, state: file.damaged ? 'damaged' : 'done' };
  };

  const next = async (): Promise<IntakePiece | null> => {
    if (current === null) {
      const [first] = await pending();
      if (first === undefined) return null;
      try {
        await begin(first);
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return null;
        throw error;
      }
    }
    const file: Current | null = current;
    if (file === null) return null;
    let need = 0;
    if (!file.damaged && taken < filled) {
      const found = take(file);
      if (found.piece !== null) return found.piece;
      need = found.need;
    }
    let isOlder = false;
    for (;;) {
      while (!file.damaged && (await readMore(file, need)) > 0) {
        const doubts = file.doubts;
        const found = take(file);
        if (found.piece !== null) return found.piece;
        if (file.doubts > doubts && !isOlder) break;
        need = found.need;
      }
      if (isOlder) return finish(file);
      // Only at the end of what is there does it matter whether more will come. A file that this list shows to be
      // older than another has its last byte by then: so it is read once more.
      isOlder = (await pending()).some((name) => name > file.name);
      if (!isOlder) return null;
    }
  };

  return {
    next,
    async close() {
      await current?.handle.close();
      current = null;
    },
  };
};
