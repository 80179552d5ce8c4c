import { micros, type Micros } from '#base/clock';
import { letGo } from '#base/let-go';
import { VaultError } from '#vault/read';
import { Contents, type Numbers } from './contents.ts';
import { IndexError } from './errors.ts';
import { tellsOfLoss } from './ledger-lines.ts';
import type { ByteString } from './parse/byte-string.ts';
import type { LocalTime } from './parse/timestamp.ts';
import { keysIn } from './project/keys.ts';
import { numbersAgain, projectBatch, type Admit, type AdmitKey } from './project/project.ts';
import { parserVersion } from './project/row.ts';
import type { LinesBlock } from './project/native/block.ts';
import type { BatchRecords } from './project/batch-records.ts';
import type { BlockThread } from './project/projecting.ts';
import { lines } from './schema.ts';
import { mostRepeats, severalParsers, type AlteredEntry, type Progress, type Repeat } from './progress.ts';
import { Senders } from './senders.ts';
import type { VaultSource } from './vault-source.ts';

/** Entries that go into the index by one insert. */
export type Group = {
  from: number;
  rows: number;
  /** `full`: it was cut at its limits, so that more is waiting, as far as one can tell. */
  size: 'full' | 'partial';
  senders: Senders;
  /** Lines that may tell of others that are missing. */
  ledger: number;
  /** The progress once this group is in. */
  after: Progress;
};

/** A group whose entries have been read, and all of whose rows may not be there yet. */
export type Collected = {
  /** What the next group is read after: all but the counts of this one. */
  next: Progress;
  /** What came under which number. */
  contents: Contents;
  /** @throws IndexError */
  finish(): Promise<Finished>;
};

/** A group all of whose rows are there. */
export type Finished = {
  rows: number;
  /** In the Native format; valid until the block is used again. */
  bytes: Uint8Array[];
  /** @param done the progress once the group before is in */
  after(done: Progress): Group;
};

export type GroupLimits = { rows: number; bytes: number };

/**
 * Two groups are in memory at once, three at most are staged (engine/engine.ts), and the engine takes about four times a group's
 * bytes while it is inserted.
 */
export const groupLimits: GroupLimits = { rows: 65_536, bytes: 24 * 1024 * 1024 };

export type GroupOptions = {
  vault: Pick<VaultSource, 'read'>;
  local: LocalTime;
  /** What the rows are written into. */
  block: LinesBlock;
  /** What the index has under these numbers and keys. */
  contentsOf(numbers: Numbers, keys: ReadonlySet<ByteString>): Promise<Contents>;
  /** Of the groups before that may not be in the index yet. */
  inFlight: readonly Contents[];
  /**
   * The thread that projects the lines of a batch that hang on nothing that came before, `null`: this one does. It is the
   * same for all of a group.
   */
  threadFor(batch: BatchRecords): BlockThread | null;
};

/**
 * Reads and projects entries from `before.entry` up to `size`, as many as one insert takes, at least one. A line whose
 * (stream, sequence) came before is left out if it is the same line, and flagged if it is another; so it is with bodies and
 * journal entries under their keys.
 */
export const collectGroup = async (
  before: Progress,
  size: number,
  options: GroupOptions,
  limits: GroupLimits = groupLimits,
): Promise<Collected> => {
  const collecting = collect(before, options);
  const altered: AlteredEntry[] = [];
  let entry = before.entry;
  const isFull = (): boolean => collecting.rows() >= limits.rows || collecting.bytes() >= limits.bytes;
  for (; entry < size && (entry === before.entry || !isFull()); entry += 1) {
    const taken = await collecting.take(entry, 3);
    if (taken !== null) altered.push(taken);
    // Searches are served by this thread too.
    await new Promise(setImmediate);
  }
  const allAltered = altered.length === 0 ? before.altered : [...before.altered, ...altered];
  return collecting.collected(entry, allAltered, isFull() ? 'full' : 'partial');
};

export const mostRestored = 64;
const restoreMs = 1000;

/**
 * Tries altered entries once more, some of them from the `skip`-th on.
 * @returns `null` if none of those is what was committed
 */
export const collectRestored = async (
  before: Progress,
  skip: number,
  options: GroupOptions,
): Promise<Finished | null> => {
  const collecting = collect(before, options);
  const restored = new Set<number>();
  const until = performance.now() + restoreMs;
  for (const { entry } of before.altered.slice(skip, skip + mostRestored)) {
    if (performance.now() > until || collecting.rows() >= groupLimits.rows) break;
    try {
      if ((await collecting.take(entry, 1)) === null) restored.add(entry);
    } catch (error) {
      // That one cannot be looked at now keeps nothing else from being indexed.
      if (!(error instanceof VaultError)) throw error;
    }
    await new Promise(setImmediate);
  }
  if (restored.size === 0) return null;
  const left = before.altered.filter(({ entry }) => !restored.has(entry));
  return collecting.collected(before.entry, left, 'partial').finish();
};

type Collecting = {
  /** Both about, as long as a thread has not finished. */
  rows(): number;
  bytes(): number;
  /** @returns the entry if it is altered */
  take(entry: number, tries: number): Promise<AlteredEntry | null>;
  collected(entry: number, altered: readonly AlteredEntry[], size: Group['size']): Collected;
};

const collect = (before: Progress, options: GroupOptions): Collecting => {
  const { vault, local, block, inFlight } = options;
  block.clear();
  const numbering = before.numbering.copy();
  const senders = new Senders(Infinity);
  const contents = new Contents();
  let rows = 0;
  let thread: BlockThread | null = null;
  /** What the thread has been given. */
  const given = { lines: 0, bytes: 0 };
  let ledger = 0;
  let redelivered = 0;
  let conflicts = 0;
  let repeats: Repeat[] | null = before.repeats === null ? null : [...before.repeats];
  let current = 0;
  let heldUntil: Micros = before.heldUntil;
  let known: Contents | null = null;

  const admit: Admit = (stream, sequence, content) => {
    const fresh = numbering.admit(stream, sequence);
    if (!fresh && [contents, ...inFlight, known].some((some) => some?.has(stream, sequence, content))) {
      redelivered += 1;
      repeats = addRepeat(repeats, { entry: current, stream, first: sequence, last: sequence });
      return 'again';
    }
    contents.add(stream, sequence, content);
    if (fresh) return 'new';
    conflicts += 1;
    return 'conflict';
  };

  const admitKey: AdmitKey = (key, content) => {
    const all = [contents, ...inFlight, known];
    if (all.some((some) => some?.has(key, 0, content))) {
      redelivered += 1;
      repeats = addRepeat(repeats, { entry: current, stream: key, first: 0, last: 0 });
      return 'again';
    }
    const isTaken = all.some((some) => some?.knows(key, 0));
    contents.add(key, 0, content);
    if (!isTaken) return 'new';
    conflicts += 1;
    return 'conflict';
  };

  return {
    rows: () => rows + given.lines,
    bytes: () => block.length + given.bytes,
    async take(entry, tries) {
      const read = await vault.read(entry, tries);
      current = entry;
      if (read.kind === 'altered') return { entry, reason: read.reason };
      if (read.kind === 'no lines') {
        if (read.idle !== null) heldUntil = micros(Math.max(heldUntil, read.idle));
        return null;
      }
      const beside = options.threadFor(read.batch);
      // Before anything is awaited, or it may end as one that is idle.
      if (thread === null) beside?.begin();
      else if (beside !== null && beside !== thread)
        throw new IndexError('thread-ended', 'the thread that had lines of this group has ended');
      thread = beside ?? thread;
      const again = numbersAgain(read.batch, (stream, sequence) => numbering.has(stream, sequence));
      const keys = keysIn(read.batch);
      known = again.size === 0 && keys.size === 0 ? null : await options.contentsOf(again, keys);
      const projected = await projectBatch(block, entry, read.batch, {
        local,
        ...(beside === null ? {} : { only: 'hanging' }),
        admit,
        admitKey,
        witness(time, host, app, by, fields) {
          senders.add(time, host, app, by);
          if (tellsOfLoss(by, fields)) ledger += 1;
        },
      });
      rows += projected.rows;
      heldUntil = micros(Math.max(heldUntil, projected.received));
      if (beside === null) {
        letGo(read.batch.records);
        return null;
      }
      given.lines += projected.left.lines;
      given.bytes += projected.left.bytes;
      await beside.take(entry, read.batch);
      return null;
    },
    collected: (entry, altered, size) => {
      // What was being deleted is gone by now.
      const next: Progress = { ...before, entry, numbering, altered, repeats, deleting: [] };
      const finish = async (): Promise<Finished> => {
        const made = thread === null ? null : await thread.finish();
        for (const sender of made?.senders ?? []) senders.put(sender);
        const all = rows + (made?.rows ?? 0);
        const after = (done: Progress): Group => ({
          from: before.entry,
          rows: all,
          size,
          senders,
          ledger: ledger + (made?.ledger ?? 0),
          after: {
            ...next,
            parser: done.parser === parserVersion || all === 0 ? done.parser : severalParsers,
            revision: done.revision + 1,
            lines: done.lines + all,
            redelivered: done.redelivered + redelivered,
            conflicts: done.conflicts + conflicts,
            heldUntil: micros(Math.max(done.heldUntil, heldUntil, made?.received ?? 0)),
          },
        });
        return {
          rows: all,
          bytes: [...(rows === 0 ? [] : block.encoded(lines)), ...(made?.bytes ?? [])],
          after,
        };
      };
      return { next, contents, finish };
    },
  };
};

/** @returns `null` where there are too many to name */
const addRepeat = (repeats: Repeat[] | null, added: Repeat): Repeat[] | null => {
  if (repeats === null) return null;
  const last = repeats.at(-1);
  if (last?.entry === added.entry && last.stream === added.stream && last.last + 1 === added.first) {
    repeats[repeats.length - 1] = { ...last, last: added.last };
    return repeats;
  }
  repeats.push(added);
  return repeats.length > mostRepeats ? null : repeats;
};
