/** The most that one line of Holdfast's own may hold; a sender cuts what is longer. */
export const maxRaw = 16 * 1024 * 1024;

/** What a walk over frames found: where the last complete one ends, and what the one after it still needs. */
export type OwnWalk = {
  /** Bytes of complete frames. */
  end: number;
  /** Sequence numbers of the first and last complete frame; 0 if there is none. */
  first: number;
  last: number;
  /** Bytes that the unfinished frame has at least; 0 if no byte of it has come. */
  wanted: number;
  /** The frame at `end` is not one: why. */
  fault: string | null;
};

/** Walks the boundaries of whole frames; neither meta nor raw is looked at. */
export const walkOwnFrames = (bytes: Buffer): OwnWalk => {
  const walk: OwnWalk = { end: 0, first: 0, last: 0, wanted: 0, fault: null };
  while (walk.end < bytes.length) {
    const at = walk.end;
    if (at + 10 > bytes.length) return { ...walk, wanted: 10 };
    const sequence = bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
    if (sequence === 0 || !Number.isSafeInteger(sequence))
      return { ...walk, fault: `sequence number ${sequence}` };
    const rawLengthAt = at + 10 + bytes.readUInt16BE(at + 8);
    if (rawLengthAt + 4 > bytes.length) return { ...walk, wanted: rawLengthAt + 4 - at };
    const rawLength = bytes.readUInt32BE(rawLengthAt);
    if (rawLength > maxRaw) return { ...walk, fault: `a line of ${rawLength} bytes, ${maxRaw} is the most` };
    const next = rawLengthAt + 4 + rawLength;
    if (next > bytes.length) return { ...walk, wanted: next - at };
    if (walk.first === 0) walk.first = sequence;
    walk.last = Math.max(walk.last, sequence);
    walk.end = next;
  }
  return walk;
};
