import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDurable, type Durable, type Fate } from '#vault/durable';
import { leaveMark, markedFile } from '#vault/intake';
import type { Amended, VaultReader } from '#vault/read';
import { redactedFiles } from './redaction.ts';
import { expiredFiles } from './retention.ts';
import { withSpace } from './space.ts';

export type RemovalOptions = {
  vault: string;
  /** Also where the keeper asks the receiver to leave a file. */
  intake: string;
  reader: VaultReader;
  /** Intake files that were begun: any of them may hold lines of what is committed. */
  begun(): readonly string[];
  fate: Fate;
  step?: (what: string) => void;
};

export type Removal = {
  /**
   * Removes the files that an expire or redact entry takes away, durably, in pieces: commits go on between them.
   * Doing it again changes nothing.
   */
  segments(amended: Amended, signal: AbortSignal): Promise<void>;
  /**
   * What was received stays in its intake file until that is full. Asks the receiver to go on in another one, and
   * waits until each that was begun has been taken to its end and removed. Where there is no space to ask, it waits for
   * that too.
   */
  intake(signal: AbortSignal): Promise<void>;
  /** Before anything else: removes marks whose file is gone, and what is left of writing them, of an earlier life. */
  clear(): Promise<void>;
  /** Files of `intake()` that are still there. */
  waitsFor(): readonly string[];
};

const pollMs = 100;
/** Between two pieces, so that the disk serves others too. */
const pauseMs = 5;

export const openRemoval = ({ vault, intake, reader, begun, fate, step }: RemovalOptions): Removal => {
  const faults = step === undefined ? {} : { step };
  const durable: Durable = openDurable({ scratch: join(vault, 'staging'), fate, ...faults });
  const left = new Set<string>();

  const present = async (name: string): Promise<boolean> =>
    (await stat(join(intake, name)).catch(() => null)) !== null;

  /** Marks whose file is gone, of this life or an earlier one. */
  const removeMarks = async (): Promise<void> => {
    const marks = (await readdir(intake)).flatMap((name) => {
      const marked = markedFile(name);
      return marked === null || left.has(marked) ? [] : [join(intake, name)];
    });
    if (marks.length > 0) await durable.remove(marks);
  };

  return {
    waitsFor: () => [...left],
    async clear() {
      // An intake/ that is not there is the sequencer's to complain of.
      const names = await readdir(intake).catch((): string[] => []);
      const stale = names.filter((name) => {
        const marked = markedFile(name);
        return name.startsWith('tmp-') || (marked !== null && !names.includes(marked));
      });
      if (stale.length > 0) await durable.remove(stale.map((name) => join(intake, name)));
    },
    async segments({ index, entry }, signal) {
      const remove = (paths: readonly string[]): Promise<void> =>
        withSpace(() => durable.remove(paths.map((path) => join(vault, path))), signal);
      if (entry.kind === 'redact') await remove(redactedFiles(reader, { index, entry }));
      if (entry.kind !== 'expire') return;
      for await (const paths of expiredFiles(reader, { index, entry }, signal)) {
        await remove(paths);
        await sleep(pauseMs);
        signal.throwIfAborted();
      }
    },
    async intake(signal) {
      const names = begun();
      for (const name of names) left.add(name);
      const own = openDurable({ scratch: intake, fate, ...faults });
      const ask = async (name: string): Promise<void> => {
        if (await present(name)) await own.write(leaveMark(join(intake, name)), Buffer.alloc(0), 0o640);
      };
      for (const name of names) await withSpace(() => ask(name), signal);
      for (const name of names) {
        while (await present(name)) await sleep(pollMs, undefined, { signal });
        left.delete(name);
      }
      await removeMarks();
    },
  };
};
