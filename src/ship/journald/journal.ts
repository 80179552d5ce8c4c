import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { Deliverer } from '../deliver.ts';
import { ShipError } from '../errors.ts';
import { selfLine, type Line } from '../line.ts';
import type { Source } from '../source.ts';
import { entriesBetween, isAfter, isSameEntry } from './cursor.ts';
import type { ExportedEntry } from './export.ts';
import { runJournalctl, type JournalRun } from './journalctl.ts';
import { isOwnEntry } from './own.ts';

/** `journal`: the newest entry kept; `null` where the journal was empty at first sight. */
const livePosition = z.object({ after: z.string().nullable() });
/** `journal:back`: what existed at first sight, through `until`, is kept through `after`. Gone when all is. */
const backPosition = z.object({ after: z.string().nullable(), until: z.string() });

const firstBackoff = 500;
const lastBackoff = 30_000;

/**
 * Follows the journal through `journalctl -o export`. What exists at first sight is read by a second journalctl in
 * the background, so that new entries do not wait for it.
 *
 * @param options.directory `null` for the host's own journal
 * @param options.trusted whose identifiers are believed, see own.ts
 */
export const followJournal = (options: {
  deliverer: Deliverer;
  program: string;
  directory: string | null;
  trusted: ReadonlySet<string>;
  host(): string;
  log: OwnLog;
  clock: Clock;
  fail(error: unknown): void;
}): Source => {
  const { deliverer, log } = options;
  const runs = new Set<JournalRun>();
  const ended = new AbortController();
  const counts = { lines: 0, own: 0 };
  /** Goes out with the next entries. */
  let lost: Line | null = null;

  const lineOf = (entry: ExportedEntry, marks: { backfill?: true }): Line => ({
    meta: { via: 'journal', host: options.host(), cursor: cursorOf(entry), ...marks },
    raw: entry.raw,
  });

  const start = (parameters: string[]): JournalRun => {
    const run = runJournalctl(options.program, options.directory, parameters);
    runs.add(run);
    return run;
  };

  const keep = async (
    entries: readonly ExportedEntry[],
    marks: { backfill?: true },
    cursors: Record<string, unknown>,
  ): Promise<void> => {
    const foreign = entries.filter((entry) => !isOwnEntry(entry.fields, options.trusted));
    const lines = foreign.map((entry) => lineOf(entry, marks));
    if (lost !== null) lines.unshift(lost);
    lost = null;
    await deliverer.put(lines, cursors);
    counts.lines += foreign.length;
    counts.own += entries.length - foreign.length;
  };

  /**
   * Reads one journalctl to its end. `--cursor` includes the entry it names, so that its absence is noticed:
   * `--after-cursor` would silently go on at the next that is left.
   * @param take gives `false` when it has seen enough
   */
  const read = async (
    parameters: string[],
    after: string | null,
    take: (entries: ExportedEntry[]) => Promise<boolean>,
  ): Promise<void> => {
    const run = start([...parameters, ...(after === null ? [] : [`--cursor=${after}`])]);
    let isFirst = after !== null;
    try {
      for await (const entries of run.entries) {
        const [first] = entries;
        if (isFirst && first !== undefined && after !== null) {
          if (isSameEntry(cursorOf(first), after)) {
            entries.shift();
          } else {
            const count = entriesBetween(after, cursorOf(first));
            const cause = 'the journal no longer holds them';
            lost = selfLine(options.clock, 'loss', {
              via: 'journal',
              after,
              before: cursorOf(first),
              count,
              cause,
            });
          }
          isFirst = false;
        }
        if (entries.length > 0 && !(await take(entries))) break;
      }
    } catch (error) {
      run.end();
      if (!(error instanceof ShipError) || error.code !== 'not-export-format') throw error;
      log('error', `${messageOf(error)}; it is started again`);
    } finally {
      run.end();
      runs.delete(run);
    }
    const { status, said } = await run.outcome();
    if (said !== '' && !ended.signal.aborted) log('warning', `journalctl (status ${status}): ${said}`);
  };

  /** Again and again, until `isDone`; quickly at first, slowly if journalctl keeps ending. */
  const persist = async (attempt: () => Promise<void>, isDone: () => boolean): Promise<void> => {
    for (let backoff = firstBackoff; !isDone() && !ended.signal.aborted;) {
      const before = counts.lines;
      await attempt();
      if (isDone()) return;
      backoff = counts.lines > before ? firstBackoff : Math.min(backoff * 2, lastBackoff);
      await wait(backoff, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };

  const live = async (): Promise<void> => {
    let { after } = livePosition.parse(deliverer.cursors.get('journal'));
    const attempt = (): Promise<void> =>
      read(['--follow', '--no-tail'], after, async (entries) => {
        const newest = cursorOf(entries.at(-1));
        await keep(entries, {}, { journal: { after: newest } });
        after = newest;
        return true;
      });
    await persist(attempt, () => false);
  };

  const back = async (): Promise<void> => {
    const stored = deliverer.cursors.get('journal:back');
    if (stored === undefined) return;
    const { until, ...position } = backPosition.parse(stored);
    let { after } = position;
    let isDone = false;
    const attempt = (): Promise<void> =>
      read([], after, async (entries) => {
        const end = entries.findIndex(
          (entry) => isSameEntry(cursorOf(entry), until) || isAfter(cursorOf(entry), until),
        );
        const last = entries[end];
        const included = last !== undefined && isSameEntry(cursorOf(last), until) ? end + 1 : end;
        const due = end === -1 ? entries : entries.slice(0, included);
        isDone = end !== -1;
        after = due.length > 0 ? cursorOf(due.at(-1)) : after;
        await keep(due, { backfill: true }, { 'journal:back': isDone ? null : { after, until } });
        return !isDone;
      });
    await persist(attempt, () => isDone || (after !== null && isSameEntry(after, until)));
    if (!ended.signal.aborted && !isDone) await deliverer.put([], { 'journal:back': null });
  };

  const run = async (): Promise<void> => {
    if (!deliverer.cursors.has('journal')) {
      let newest: string | null = null;
      await read(['--lines=1'], null, async (entries) => {
        newest = cursorOf(entries.at(-1));
        return true;
      });
      const isEmpty = newest === null;
      await deliverer.put([], {
        journal: { after: newest },
        ...(isEmpty ? {} : { 'journal:back': { after: null, until: newest } }),
      });
    }
    await Promise.all([live(), back()]);
  };
  const running = run().catch((error: unknown) => {
    if (!ended.signal.aborted) options.fail(error);
  });

  return {
    counts: () => ({ ...counts }),
    async stop() {
      ended.abort();
      for (const one of runs) one.end();
      await running;
    },
  };
};

const cursorOf = (entry: ExportedEntry | undefined): string => {
  const cursor = entry?.fields.get('__CURSOR');
  if (cursor === undefined)
    throw new ShipError('not-export-format', 'journalctl printed an entry without __CURSOR');
  return cursor;
};
