import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#base/errors';
import { createFile, syncDirectory } from '#vault/durable';
import { FixError } from './errors.ts';
import type { KeptPackage } from './packages.ts';
import type { Plan } from './plan.ts';

/**
 * How far a fix is. Nothing of the host is changed before `backed-up` is on disk, and each state is on disk before what
 * it names begins:
 *
 *     backed-up → writing → restarting → proving → done
 *                                              └→ awaiting (until the operator confirms) → done
 *     any of these → undoing → undone
 *
 * What is neither `done`, `undone` nor `awaiting` was interrupted, and is put back by whoever comes next.
 */
export type State =
  'backed-up' | 'writing' | 'restarting' | 'proving' | 'awaiting' | 'done' | 'undoing' | 'undone';

/** The old file of an edit; its bytes lie beside the journal. */
export type Backup = {
  path: string;
  /** Name of the file with its bytes; `null` where there was no file. */
  kept: string | null;
  mode: number;
  uid: number;
  gid: number;
  /** SHA-256 of the old bytes and of what the fix writes, hexadecimal. */
  before: string | null;
  after: string;
  /** Directories that there were not, outermost first. */
  made: string[];
};

/** What a fix needs to be undone, whatever has become of the process that made it. */
export type Opening = {
  plan: Plan;
  backups: Backup[];
  /** Packages that are removed, with the archives to install them from; none in journals of older versions. */
  packages?: KeptPackage[];
  /** Units that were active: the daemon's, and those of who was seen to use it. An undo starts them again. */
  active: string[];
  check: string | null;
  from: string | null;
};

/** A line of a journal: what happened, and when. */
export type Entry = {
  /** From 1, without gaps. */
  n: number;
  /** RFC 3339 */
  time: string;
  step: string;
  outcome: 'begun' | 'ok' | 'failed' | 'told';
  text: string;
  /** Where the state changed with it. */
  state?: State;
  /** Of the line that begins `backed-up`. */
  opening?: Opening;
  /** `awaiting`: when the guard undoes, RFC 3339. */
  until?: string;
};

export type Journal = {
  id: string;
  directory: string;
  entries: readonly Entry[];
  /** Durable when it returns, from `begin` on. */
  append(entry: Omit<Entry, 'n' | 'time'>, time: string): Entry;
  /**
   * Puts the fix on disk: the old bytes by the name that their backup gives them, then all lines so far and the one that
   * begins it. @throws FixError `not-written` where there is no room; nothing of it stays
   */
  begin(opening: Opening, kept: ReadonlyMap<string, Uint8Array>, time: string): Entry;
};

const fileOf = (directory: string): string => join(directory, 'journal.jsonl');

const textOf = (entries: readonly Entry[]): Buffer =>
  Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));

/** A fix that is not on disk yet: nothing of the host may be changed before `begin`. */
export const newJournal = (fixes: string, id: string): Journal => journalOf(fixes, id, [], null);

/** @param onDisk length on disk of the whole lines; `null`: it is not on disk yet */
const journalOf = (fixes: string, id: string, entries: Entry[], onDisk: number | null): Journal => {
  const directory = join(fixes, id);
  let length = onDisk;
  return {
    id,
    directory,
    entries,
    append(entry, time) {
      const whole: Entry = { n: entries.length + 1, time, ...entry };
      if (length !== null) {
        const line = textOf([whole]);
        const file = openSync(fileOf(directory), 'r+');
        try {
          // What an append that was interrupted left.
          ftruncateSync(file, length);
          for (let done = 0; done < line.length;)
            done += writeSync(file, line, done, line.length - done, length + done);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        length += line.length;
      }
      entries.push(whole);
      return whole;
    },
    begin(opening, kept, time) {
      const old = [
        ...(opening.packages ?? []).map(({ name, version }) => `the archive of ${name} ${version}`),
        ...opening.backups.flatMap(({ path, kept: name }) => (name === null ? [] : `old bytes of ${path}`)),
      ];
      const first: Entry = {
        n: entries.length + 1,
        time,
        step: 'backup',
        outcome: 'ok',
        text: `${old.join(', ') || 'no old files to keep'}; journal in ${directory}`,
        state: 'backed-up',
        opening,
      };
      const text = textOf([...entries, first]);
      mkdirSync(directory, { mode: 0o700 });
      try {
        for (const [name, bytes] of kept) createFile(join(directory, name), bytes, 0o600, null);
        createFile(fileOf(directory), text, 0o600, null);
        syncDirectory(fixes);
      } catch (error) {
        rmSync(directory, { recursive: true, force: true });
        throw new FixError(
          'not-written',
          `nothing was changed: ${directory} could not take what an undo needs: ${messageOf(error)}`,
          { cause: error },
        );
      }
      entries.push(first);
      length = text.length;
      return first;
    },
  };
};

/** Changes nothing on disk, so it needs no lock. @throws FixError `no-such-fix`, `damaged` */
export const readJournal = (fixes: string, id: string): Journal => {
  const directory = join(fixes, id);
  if (!/^[\w-]+$/.test(id) || !existsSync(fileOf(directory)))
    throw new FixError('no-such-fix', `there is no fix '${id}' in ${fixes}`);
  // A last line without its end is of an append that was interrupted: nothing that it names had begun.
  const bytes = readFileSync(fileOf(directory));
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  try {
    const entries = whole
      .toString('utf8')
      .split('\n')
      .slice(0, -1)
      .map((line): Entry => JSON.parse(line));
    const journal = journalOf(fixes, id, entries, whole.length);
    openingOf(journal);
    return journal;
  } catch (error) {
    throw new FixError(
      'damaged',
      `${fileOf(directory)} cannot be read: ${messageOf(error)}. Look at it, and move ${directory} away once its files are as they must be`,
      { cause: error },
    );
  }
};

/** Every fix, oldest first; a directory without a journal is of one that changed nothing. @throws FixError `damaged` */
export const readJournals = (fixes: string): Journal[] =>
  oldestFirst(idsIn(fixes).map((id) => readJournal(fixes, id)));

/** As readJournals, without those that cannot be read. */
export const readableJournals = (fixes: string): Journal[] =>
  oldestFirst(
    idsIn(fixes).flatMap((id) => {
      try {
        return [readJournal(fixes, id)];
      } catch (error) {
        if (error instanceof FixError) return [];
        throw error;
      }
    }),
  );

const idsIn = (fixes: string): string[] =>
  existsSync(fixes)
    ? readdirSync(fixes, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(fileOf(join(fixes, entry.name))))
        .map(({ name }) => name)
    : [];

const oldestFirst = (journals: readonly Journal[]): Journal[] =>
  journals.toSorted((a, b) => ((a.entries[0]?.time ?? '') < (b.entries[0]?.time ?? '') ? -1 : 1));

/** @throws FixError `damaged` */
export const openingOf = ({ entries, directory }: Journal): Opening => {
  const opening = entries.find((entry) => entry.opening !== undefined)?.opening;
  if (opening === undefined) throw new FixError('damaged', `${directory} has no opening`);
  return opening;
};

export const stateOf = ({ entries }: Journal): State =>
  entries.findLast(({ state }) => state !== undefined)?.state ?? 'backed-up';

export const isInterrupted = (journal: Journal): boolean =>
  !['done', 'undone', 'awaiting'].includes(stateOf(journal));
