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

/** Bytes that grow at their end: copies, because a view of a few bytes would hold all that was read with them. */
export type Growing = {
  readonly length: number;
  /** `false`: there is no memory for them, and nothing was added. */
  add(bytes: Buffer): boolean;
  /** Of what is held; good until more is added. */
  view(): Buffer;
  /** Takes the first `length` bytes away, as a buffer of its own. */
  take(length: number): Buffer;
  /** Forgets everything, and gives its memory back. */
  free(): void;
};

export const growing = (memory: BodyMemory, sender: string): Growing => {
  let bytes = Buffer.alloc(0);
  let length = 0;
  const counted = (): number => Math.max(0, bytes.length - uncounted);

  const grow = (wanted: number): boolean => {
    for (const size of [Math.max(wanted, bytes.length * 2), wanted]) {
      const more = Math.max(0, size - uncounted) - counted();
      if (more > 0 && !memory.take(sender, more)) continue;
      const larger = Buffer.allocUnsafeSlow(size);
      larger.set(bytes.subarray(0, length));
      bytes = larger;
      return true;
    }
    return false;
  };

  const free = (): void => {
    if (counted() > 0) memory.give(sender, counted());
    bytes = Buffer.alloc(0);
    length = 0;
  };

  return {
    get length() {
      return length;
    },
    add(more) {
      if (length + more.length > bytes.length && !grow(length + more.length)) return false;
      bytes.set(more, length);
      length += more.length;
      return true;
    },
    view: () => bytes.subarray(0, length),
    take(count) {
      const taken = Buffer.from(bytes.subarray(0, count));
      const kept = Buffer.from(bytes.subarray(count, length));
      free();
      if (kept.length > 0) {
        // What was held a moment ago may be held again: this cannot be refused.
        const more = Math.max(0, kept.length - uncounted);
        if (more > 0) memory.take(sender, more);
        bytes = kept;
        length = kept.length;
      }
      return taken;
    },
    free,
  };
};
