/** Bytes of unfinished and unstored bodies that all requests hold together. */
export type BodyMemory = {
  /** Whether `sender` may hold so many more; if so, they are counted. */
  take(sender: string, bytes: number): boolean;
  give(sender: string, bytes: number): void;
};

/** @param most of all together, in bytes; one sender may hold half of it, so that none can keep out all others */
export const bodyMemory = (most: number): BodyMemory => {
  let held = 0;
  const senders = new Map<string, number>();
  return {
    take(sender, bytes) {
      const own = (senders.get(sender) ?? 0) + bytes;
      if (held + bytes > most || own > most / 2) return false;
      held += bytes;
      senders.set(sender, own);
      return true;
    },
    give(sender, bytes) {
      held -= bytes;
      const own = (senders.get(sender) ?? 0) - bytes;
      if (own > 0) senders.set(sender, own);
      else senders.delete(sender);
    },
  };
};

/** Held without being counted, so that a full memory keeps nobody from small bodies. */
const uncounted = 8192;
const smallestBlock = 1024;
const largestBlock = 256 * 1024;

/** Bytes that grow at their end: copies, because a view of a few bytes would hold all that was read with them. */
export type Growing = {
  readonly length: number;
  /** The last byte; `undefined` = there is none. */
  readonly last: number | undefined;
  /** `false`: there is no memory for them, and nothing was added. */
  add(bytes: Buffer): boolean;
  /** All of it, in pieces that stay as they are while nothing is added. */
  pieces(): Buffer[];
  /** Offset of the first, or of the last, such byte; -1 = there is none. */
  first(byte: number): number;
  lastOf(byte: number): number;
  /** Takes the first `length` bytes away. */
  take(length: number): Buffer[];
  /** Forgets everything, and gives its memory back. */
  free(): void;
};

export const growing = (memory: BodyMemory, sender: string): Growing => {
  let blocks: Buffer[] = [];
  let length = 0;
  /** Of all blocks, and how much of the last one is free. */
  let size = 0;
  let room = 0;

  const open = (wanted: number): boolean => {
    const least = Math.max(wanted, smallestBlock);
    for (const block of [Math.max(least, Math.min(size, largestBlock)), least]) {
      const more = Math.max(0, size + block - uncounted) - Math.max(0, size - uncounted);
      if (more > 0 && !memory.take(sender, more)) continue;
      blocks.push(Buffer.allocUnsafeSlow(block));
      size += block;
      room = block;
      return true;
    }
    return false;
  };

  const add = (bytes: Buffer): boolean => {
    const fits = Math.min(room, bytes.length);
    const rest = bytes.length - fits;
    const before = blocks.at(-1);
    const free = room;
    if (rest > 0 && !open(rest)) return false;
    before?.set(bytes.subarray(0, fits), before.length - free);
    if (rest > 0) blocks.at(-1)?.set(bytes.subarray(fits));
    room -= rest > 0 ? rest : fits;
    length += bytes.length;
    return true;
  };

  const pieces = (): Buffer[] =>
    blocks.map((block, n) => (n === blocks.length - 1 ? block.subarray(0, block.length - room) : block));

  const free = (): void => {
    if (size > uncounted) memory.give(sender, size - uncounted);
    blocks = [];
    length = 0;
    size = 0;
    room = 0;
  };

  return {
    get length() {
      return length;
    },
    get last() {
      return length === 0 ? undefined : pieces().at(-1)?.at(-1);
    },
    add,
    pieces,
    first(byte) {
      let before = 0;
      for (const piece of pieces()) {
        const at = piece.indexOf(byte);
        if (at >= 0) return before + at;
        before += piece.length;
      }
      return -1;
    },
    lastOf(byte) {
      let after = length;
      for (const piece of pieces().toReversed()) {
        after -= piece.length;
        const at = piece.lastIndexOf(byte);
        if (at >= 0) return after + at;
      }
      return -1;
    },
    take(count) {
      const taken: Buffer[] = [];
      const kept: Buffer[] = [];
      let left = count;
      for (const piece of pieces()) {
        const cut = Math.min(left, piece.length);
        left -= cut;
        if (cut > 0) taken.push(piece.subarray(0, cut));
        if (cut < piece.length) kept.push(piece.subarray(cut));
      }
      free();
      // Less than was held a moment ago, but for the room in its last block: where even that is refused, it is counted late.
      for (const piece of kept)
        if (!add(piece)) {
          blocks.push(Buffer.from(piece));
          length += piece.length;
          room = 0;
        }
      return taken;
    },
    free,
  };
};
