import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { openEdition, type Edition, type EditionOptions } from './edition.ts';
import type { Engine } from './engine/engine.ts';
import type { GroupLimits } from './group.ts';
import { parserVersion } from './project/row.ts';
import { emptyIndex, recover, severalParsers } from './progress.ts';
import { recall } from './remembered.ts';
import { lateIndices, lines, progress, tables } from './schema.ts';

/** How far history has been read again by the parser of today. */
export type Reparsing = {
  /** Version of the parser that read the lines which are found now; `null`: several did. */
  from: number | null;
  to: number;
  /** Entries below this have been read again. */
  entry: number;
};

/**
 * Reads history again, behind the tables that are searched, where those were made by another parser. They go on being
 * searched and kept up; what is read again goes into a second set of tables, which takes their place once it is as far.
 * So no answer is ever half of one parser and half of another by this, and the second set is what a rebuild would make.
 */
export type Reparse = {
  state(): Reparsing | null;
  /** Does some of it, if any is due, never beyond what is searchable. Its failures hold back nothing else. */
  step(): Promise<void>;
};

/** Small, as new lines wait for it. */
const limits: GroupLimits = { rows: 32_768, bytes: 12 * 1024 * 1024 };
const retryMs = 60_000;

export const openReparse = (
  current: Edition,
  options: Omit<EditionOptions, 'limits' | 'onInserted'>,
): Reparse => {
  const { engine, log } = options;
  let next: Edition | null = null;
  let tokenIndex: 'not begun' | 'being built' | 'built' = 'not begun';
  let restUntil = 0;
  let hasFailed = false;

  const isDue = (): boolean => current.progress().parser !== parserVersion;

  const open = async (): Promise<Edition> => {
    const beside = await engine.beside();
    let { progress: start } = await recover(beside);
    if (start.parser !== parserVersion || start.origin !== current.progress().origin) {
      await emptyIndex(beside);
      ({ progress: start } = await recover(beside));
    }
    log(
      'info',
      `what ${parserIn(current)} read is read again by parser ${parserVersion}, from entry ${start.entry} on; it can be searched meanwhile`,
    );
    const edition = openEdition(
      { ...options, engine: beside, limits, onInserted: () => undefined },
      start,
      await recall(beside, start, options.mostSenders),
    );
    await edition.adopt(current.progress().origin);
    return edition;
  };

  const buildIndex = (): void => {
    tokenIndex = 'being built';
    engine
      .beside()
      .then((beside) => beside.buildIndices(lines, lateIndices))
      .catch((error: unknown) =>
        log('warning', `the token index was not built, searches scan instead: ${messageOf(error)}`),
      )
      .finally(() => {
        tokenIndex = 'built';
      });
  };

  const drop = (): void => {
    next = null;
    tokenIndex = 'not begun';
    engine
      .dropBeside()
      .catch((error: unknown) => log('warning', `tables of no use were not deleted: ${messageOf(error)}`));
  };

  /** Nothing may write to either set before all of its tables are exchanged, or none. */
  const takeOver = async (): Promise<void> => {
    try {
      await engine.takeOver(tables);
    } catch (error) {
      log('warning', `the tables did not take over in one go: ${messageOf(error)}`);
      for (;;) {
        const state = await completeTakeOver(engine, log).catch(() => 'not known' as const);
        if (state === 'completed') return;
        if (state === 'not begun' || options.isInterrupted()) throw error;
        await sleep(1000);
      }
    }
  };

  const advance = async (): Promise<void> => {
    if (tokenIndex === 'being built') return;
    next ??= await open();
    await next.withdraw();
    await next.catchUp(current.progress().entry, 1);
    await next.remember('if due');
    if (next.progress().entry < current.progress().entry) return;
    if (tokenIndex === 'not begun') return buildIndex();
    await options.beforeRewriting();
    await takeOver();
    current.become(next.progress(), { senders: next.senders, withdrawn: next.withdrawn(), lines: -1 });
    log('info', `all lines are as parser ${parserVersion} reads them`);
    drop();
  };

  return {
    state() {
      if (!isDue()) return null;
      const { parser } = current.progress();
      return {
        from: parser === severalParsers ? null : parser,
        to: parserVersion,
        entry: next?.progress().entry ?? 0,
      };
    },
    async step() {
      if (performance.now() < restUntil) return;
      if (!isDue()) {
        // The index was emptied, and is made again by the parser of today anyway.
        if (next !== null) drop();
        return;
      }
      const began = performance.now();
      try {
        await advance();
        hasFailed = false;
        // The other half of the time is for searches.
        restUntil = performance.now() + (performance.now() - began);
      } catch (error) {
        if (!hasFailed) log('warning', `history is not read again for now: ${messageOf(error)}`);
        hasFailed = true;
        restUntil = performance.now() + retryMs;
        await next?.undo().catch(() => undefined);
      }
    },
  };
};

const parserIn = (edition: Edition): string => {
  const { parser } = edition.progress();
  return parser === severalParsers ? 'several parsers' : `parser ${parser}`;
};

/**
 * Completes a taking over that was cut short, and deletes what it left.
 * @returns whether there was one; `not begun`: the tables here are those of before
 * @throws IndexError
 */
export const completeTakeOver = async (engine: Engine, log: OwnLog): Promise<'completed' | 'not begun'> => {
  if (!(await engine.hasBeside())) return 'not begun';
  const { here, beside } = await engine.comments();
  const made = here.get(lines.name);
  const left = tables.filter(({ name }) => here.get(name) !== made && beside.get(name) === made);
  if (left.length === 0 || here.get(progress.name) === made) return 'not begun';
  log('info', `completing what was cut short: the tables of ${made ?? 'an index'} take over`);
  await engine.takeOver(left);
  await engine.dropBeside();
  return 'completed';
};
