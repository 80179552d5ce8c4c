import { closeSync, fstatSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { systemCode } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import type { Deliverer } from '../deliver.ts';
import { selfLine } from '../line.ts';
import type { Source } from '../source.ts';
import { followed } from './followed.ts';
import { looksBinary } from './lines.ts';
import { amidst, atBeginning, filePosition, type FilePosition } from './position.ts';
import { recognise } from './recognise.ts';
import { look, lookBack, openFound, type Tracked } from './tracked.ts';
import { namesInode, ownOutput, unreadable, walk, type FoundFile } from './walk.ts';

/** Milliseconds. */
export type FilesTiming = {
  /** Between two looks at the files that are known. */
  poll: number;
  /** Between two walks through the directories. */
  rescan: number;
  /** Without growth, after which a moved file's last line is taken to be complete. */
  settle: number;
  /** To wait for the copy that belongs to a truncation, or the truncation that belongs to a copy. */
  copy: number;
  /** To go on reading a removed file, which its writer may still hold open. */
  removed: number;
};

export const filesTiming: FilesTiming = {
  poll: 200,
  rescan: 2000,
  settle: 2000,
  copy: 10_000,
  removed: 60_000,
};

const groupBytes = 1024 * 1024;
const mostHeld = 2048;

/**
 * Follows every text file under `roots`. Reading is by polling: inotify overflows, and says nothing of what it missed.
 * Files that exist when a root is first seen are read in the background, their lines marked `backfill`.
 * Cursors: `file:<device>:<inode>` (see position.ts); `root:<path>` once a root's first files are known.
 *
 * @param options.excluded directories that are left out, absolute and real
 */
export const followFiles = (options: {
  deliverer: Deliverer;
  roots: readonly string[];
  excluded: readonly string[];
  host(): string;
  clock: Clock;
  couldNotLook(item: CouldNotLook): void;
  fail(error: unknown): void;
  timing?: Partial<FilesTiming>;
}): Source => {
  const { deliverer, clock } = options;
  const timing = { ...filesTiming, ...options.timing };
  const files = followed(() => clock.elapsed());
  /** Positions from before the start whose files have not been met again yet. */
  const stored = new Map<string, FilePosition>();
  /** Files that are no text, with the size at which that was seen. */
  const binary = new Map<string, number>();
  const perhapsCopies = new Map<string, number>();
  let sent = 0;
  const ended = new AbortController();
  let rescanAt = 0;

  for (const [key, value] of deliverer.cursors) {
    if (key.startsWith('file:')) stored.set(key.slice(5), filePosition.parse(value));
  }

  const keep = async (): Promise<void> => {
    const group = files.take();
    if (group === null) return;
    await deliverer.put(group.lines, group.cursors);
    sent += group.lines.length;
  };

  const problem = (path: string, error: unknown): void => {
    if (systemCode(error) !== 'ENOENT') options.couldNotLook(unreadable(path, error));
  };

  const lookAt = (file: Tracked): 'more' | 'no more' => {
    const wasNamed = file.named;
    try {
      const seen = look(file, clock.elapsed(), timing.settle, options.host());
      // Its successor, or a copy of it, will be there by now.
      if (wasNamed && !file.named) rescanAt = 0;
      if (seen.result === 'binary') {
        binary.set(file.key, file.size);
        files.forget(file.key);
      }
      if (seen.result !== 'changed') return 'no more';
      if (file.truncated !== null && seen.lines.length === 0) rescanAt = 0;
      files.gather(file, seen.lines);
      return 'more';
    } catch (error) {
      problem(file.position.path, error);
      return 'no more';
    }
  };

  /** Decides what an unknown inode is. */
  const meet = (walked: FoundFile, isFirst: boolean, vanished: ReadonlyMap<string, FilePosition>): void => {
    if (binary.get(walked.key) === walked.size) return;
    let fd: number | null = null;
    try {
      fd = openFound(walked.path, walked.key);
      // Its size now: a copy that was still being made may be complete since.
      const found = { ...walked, size: fstatSync(fd).size };
      const known = recognise(fd, found, files.all(), vanished);
      const since = perhapsCopies.get(found.key) ?? clock.elapsed();
      perhapsCopies.delete(found.key);
      if (known.as === 'successor') {
        stored.delete(known.of);
        files.forget(known.of);
        files.add(found, { ...known.position, path: found.path, moved: false }, fd);
      } else if (known.as === 'copy') {
        files.add(found, known.position, fd);
        known.of.position = { ...known.of.position, before: null };
        known.of.truncated = null;
        files.gather(known.of, []);
      } else if (known.as === 'perhaps a copy' && !isFirst && clock.elapsed() - since < timing.copy) {
        perhapsCopies.set(found.key, since);
        closeSync(fd);
      } else if (looksBinary(fd)) {
        binary.set(found.key, found.size);
        closeSync(fd);
      } else {
        const fresh = { ...atBeginning, path: found.path, existed: 0, moved: false, before: null };
        files.add(found, isFirst ? { ...fresh, ...amidst(fd, found.size), existed: found.size } : fresh, fd);
      }
    } catch (error) {
      if (fd !== null) closeSync(fd);
      problem(walked.path, error);
    }
  };

  const rescan = async (): Promise<void> => {
    rescanAt = clock.elapsed() + timing.rescan;
    const own = ownOutput();
    let complete = true;
    for (const root of options.roots) {
      const isFirst = !deliverer.cursors.has(`root:${root}`);
      const seen = walk([root], options.excluded);
      for (const item of seen.couldNotLook) options.couldNotLook(item);
      complete &&= seen.couldNotLook.length === 0;
      const unknown: FoundFile[] = [];
      const vanished = new Map(stored);
      for (const file of files.all()) if (!file.named) vanished.set(file.key, file.position);
      for (const found of seen.files) {
        vanished.delete(found.key);
        if (own.has(found.key)) continue;
        const position = stored.get(found.key);
        stored.delete(found.key);
        const file =
          files.get(found.key) ?? (position === undefined ? undefined : files.add(found, position, null));
        if (file === undefined) {
          unknown.push(found);
          continue;
        }
        if (file.position.path !== found.path) {
          file.position = { ...file.position, path: found.path, moved: true };
          files.gather(file, []);
        }
        // Whether a file was truncated while nobody read it is to be known before copies are judged.
        if (position !== undefined) lookAt(file);
        if (files.gathered() >= groupBytes) await keep();
      }
      for (const found of unknown) meet(found, isFirst, vanished);
      if (isFirst && seen.couldNotLook.every((item) => item.what !== root))
        files.change(`root:${root}`, true);
      await keep();
    }
    // Of a directory that could not be entered nobody knows what it holds.
    if (complete) giveUpRemoved();
    giveUpCopies();
    files.closeIdle(mostHeld);
  };

  const giveUp = (key: string, { path, offset: after }: FilePosition): void => {
    if (namesInode(path, key)) return;
    const cause = 'removed while nobody held it open';
    files.say(selfLine(clock, 'unknown-loss', { via: 'file', path, after, cause }));
    stored.delete(key);
    files.forget(key);
  };

  const giveUpRemoved = (): void => {
    for (const [key, position] of stored) giveUp(key, position);
    for (const file of files.all()) {
      if (file.fd === null) giveUp(file.key, file.position);
      else if (file.removed !== null && clock.elapsed() - file.removed > timing.removed)
        files.forget(file.key);
    }
  };

  const giveUpCopies = (): void => {
    for (const file of files.all()) {
      if (file.truncated === null || clock.elapsed() - file.truncated <= timing.copy) continue;
      const { path, before } = file.position;
      const [after, unread] = [before?.offset ?? 0, before?.back ?? null];
      const cause = 'truncated, and no copy was found';
      files.say(selfLine(clock, 'unknown-loss', { via: 'file', path, after, unread, cause }));
      file.truncated = null;
    }
    if (perhapsCopies.size > 0) rescanAt = Math.min(rescanAt, clock.elapsed() + timing.poll);
  };

  const poll = async (): Promise<void> => {
    for (const file of files.all()) {
      // A group at a time: one busy file does not keep the others waiting.
      while (!ended.signal.aborted && files.gathered() < groupBytes && lookAt(file) === 'more');
      if (files.gathered() >= groupBytes) await keep();
    }
    await keep();
  };

  const backfill = async (end: number): Promise<void> => {
    for (const file of files.all()) {
      while (file.position.back !== null) {
        if (ended.signal.aborted || clock.elapsed() >= end) return;
        try {
          const more = lookBack(file, options.host());
          if (more === null) break;
          files.gather(file, more);
        } catch (error) {
          problem(file.position.path, error);
          break;
        }
        await keep();
      }
    }
  };

  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const began = clock.elapsed();
      if (began >= rescanAt) await rescan();
      await poll();
      // Half of the time, so that what is new never waits long for what is old.
      await backfill(began + timing.poll / 2);
      const left = began + timing.poll - clock.elapsed();
      if (left > 0) await wait(left, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!ended.signal.aborted) options.fail(error);
  });

  return {
    counts: () => ({ lines: sent, files: files.size, binary: binary.size }),
    async stop() {
      ended.abort();
      await running;
      // A removed file cannot be opened again after the next start.
      for (const file of files.all()) if (!file.named) while (lookAt(file) === 'more');
      await keep().catch(() => undefined);
      files.close();
    },
  };
};
