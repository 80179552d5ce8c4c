import { Flag, Framing } from '#vault/record';
import type { FrameRun } from '../syslog/framing.ts';
import { cutEntries } from './journal.ts';
import type { HttpLimits } from './limits.ts';
import type { Growing } from './memory.ts';
import { refusals, type Refusal } from './refusal.ts';

/** What becomes of the bytes of a body as they come. */
export type Incoming = {
  /** @returns why no more of it is taken, or `null` */
  push(chunk: Buffer): Refusal | null;
  /** All of it has come. */
  complete(): void;
  /** The connection ended before the body did. */
  torn(): void;
};

/** A body that is one record: nothing of it is stored before all of it has come. */
export const wholeBody = (
  held: Growing,
  limits: Pick<HttpLimits, 'body'>,
  emit: (run: FrameRun) => void,
): Incoming => ({
  push(chunk) {
    if (held.length + chunk.length > limits.body) return refusals.bodyTooLarge;
    return held.add(chunk) ? null : refusals.noMemory;
  },
  complete() {
    const length = held.length;
    // An empty body is no line.
    if (length > 0) emit({ framing: Framing.body, flags: 0, pieces: held.pieces(), length });
  },
  torn: () => undefined,
});

const LF = 0x0a;

/**
 * A body of lines. It is stored in runs that depend on its bytes alone, never on how they came: so the same body gives
 * the same runs again.
 */
export const linesBody = (held: Growing, limits: HttpLimits, emit: (run: FrameRun) => void): Incoming => {
  let inParts = false;
  const run = (flags: number, length: number): void =>
    emit({ framing: Framing.newline, flags, pieces: held.take(length), length });

  const putOut = (): void => {
    const end = held.lastOf(LF) + 1;
    if (inParts && end > 0) {
      const first = held.first(LF) + 1;
      run(Flag.part | Flag.lastPart, first);
      inParts = false;
      if (end > first) run(0, end - first);
    } else if (end > 0) run(0, end);
    else {
      inParts = true;
      run(Flag.part, held.length);
    }
  };

  const add = (bytes: Buffer): Refusal | null => {
    for (let rest = bytes; rest.length > 0;) {
      const piece = rest.subarray(0, limits.lines - held.length);
      if (!held.add(piece)) return refusals.noMemory;
      rest = rest.subarray(piece.length);
      if (held.length >= limits.lines) putOut();
    }
    return null;
  };

  return {
    push: add,
    complete() {
      if (held.length === 0) return;
      if (inParts) {
        const first = held.first(LF) + 1;
        run(Flag.part | Flag.lastPart, first === 0 ? held.length : first);
      }
      if (held.length > 0) run(0, held.length);
    },
    // What was stored of it is whole lines; its sender was told nothing, and sends all of it again.
    torn() {
      if (inParts && held.length > 0) run(Flag.part | Flag.lastPart | Flag.torn, held.length);
    },
  };
};

/** Entries of a journal: stored as they come, however long the request is. */
export const journalBody = (
  held: Growing,
  limits: HttpLimits,
  emit: (run: FrameRun) => void,
  notAnEntry: () => void,
): Incoming => {
  const cutter = cutEntries(held, limits.body, emit, notAnEntry);
  return {
    push(chunk) {
      cutter.push(chunk);
      return null;
    },
    complete: () => cutter.complete(),
    torn: () => cutter.end(),
  };
};

/** A compressed journal cannot be cut: it is stored as it came, in parts where it is long. */
export const compressedBody = (
  held: Growing,
  limits: HttpLimits,
  emit: (run: FrameRun) => void,
): Incoming => {
  let inParts = false;
  const run = (flags: number, pieces: Buffer[]): void =>
    emit({
      framing: Framing.body,
      flags,
      pieces,
      length: pieces.reduce((sum, piece) => sum + piece.length, 0),
    });
  return {
    push(chunk) {
      if (held.length + chunk.length <= limits.body && held.add(chunk)) return null;
      inParts = true;
      run(Flag.part, [...held.take(held.length), chunk]);
      return null;
    },
    complete() {
      if (held.length > 0 || inParts) run(inParts ? Flag.part | Flag.lastPart : 0, held.take(held.length));
    },
    torn() {
      if (inParts) run(Flag.part | Flag.lastPart | Flag.torn, held.take(held.length));
    },
  };
};
