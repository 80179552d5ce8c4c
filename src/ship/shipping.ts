import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { CouldNotLook } from '#base/looked';
import type { OwnLog } from '#base/own-log';
import type { Deliverer } from './deliver.ts';
import { ShipError } from './errors.ts';
import { sendFacts, type Fact } from './facts.ts';
import { followFiles } from './files/files.ts';
import { hostLog } from './host-log.ts';
import { selfLine } from './line.ts';

export type ShippingOptions = {
  deliverer: Deliverer;
  /** Directories whose text files are followed. */
  logRoots: readonly string[];
  /** Directories in them that are not, e.g. Holdfast's own state; absolute and real. */
  excluded: readonly string[];
  journal: 'auto' | 'off';
  kernelRing: 'auto' | 'off';
  trusted: ReadonlySet<string>;
  /** All that holds of this host now. */
  facts(): Promise<readonly Fact[]>;
  /** Milliseconds between two looks at them (default 2 s). What is the very array of last time is not sent again. */
  factsEvery?: number;
  clock: Clock;
  log: OwnLog;
  /** Called once, when going on could lose lines. */
  fail(error: unknown): void;
  /** Milliseconds between heartbeats (default 60 s). */
  beat?: number;
};

/**
 * Ships this host's own logs and facts, and says so: a `start` line, a `heartbeat` line each minute with counts per
 * source and the backlog, and a `could-not-look` line for everything that may not be read, once.
 */
export const startShipping = (options: ShippingOptions): { stop(): Promise<void> } => {
  const { deliverer, clock, log } = options;
  const beat = options.beat ?? 60_000;
  const ended = new AbortController();
  const unseen = new Set<string>();

  const say = (kind: string, fields: Record<string, unknown>): void => {
    const { meta, raw } = selfLine(clock, kind, fields);
    deliverer.send(meta, raw).catch((error: unknown) => {
      const isPassing =
        error instanceof ShipError && (error.code === 'spool-full' || error.code === 'closed');
      if (!isPassing && !ended.signal.aborted) options.fail(error);
    });
  };
  const couldNotLook = (item: CouldNotLook): void => {
    const key = `${item.what}\n${item.why}`;
    if (unseen.has(key)) return;
    unseen.add(key);
    log('warning', `could not look at ${item.what}: ${item.why}; ${item.remedy}`);
    say('could-not-look', { severity: 'warning', ...item });
  };
  const fail = (error: unknown): void => {
    if (!ended.signal.aborted) options.fail(error);
  };

  say('start', { process: 'agent', pid: process.pid, roots: options.logRoots });
  const files = followFiles({ ...options, roots: options.logRoots, host: hostname, couldNotLook, fail });
  const journalOrRing = hostLog({ ...options, host: hostname, couldNotLook, fail });

  let told: readonly Fact[] | null = null;
  const tellFacts = async (): Promise<void> => {
    try {
      const facts = await options.facts();
      if (facts === told) return;
      await sendFacts(deliverer, facts, clock);
      told = facts;
    } catch (error) {
      if (error instanceof ShipError) throw error;
      couldNotLook({ what: 'facts of this host', why: messageOf(error), remedy: 'see the message' });
    }
  };
  const beating = async (): Promise<void> => {
    for (;;) {
      await wait(beat, undefined, { signal: ended.signal });
      await journalOrRing.lookAgain();
      const counts: Record<string, Record<string, number>> = { file: files.counts() };
      for (const [name, source] of journalOrRing.sources) counts[name] = source.counts();
      say('heartbeat', { counts, backlog: deliverer.backlog(), couldNotLook: unseen.size });
    }
  };
  const telling = async (): Promise<void> => {
    for (;;) {
      await tellFacts();
      await wait(options.factsEvery ?? 2000, undefined, { signal: ended.signal });
    }
  };
  const running = Promise.all([beating().catch(fail), telling().catch(fail)]);

  return {
    async stop() {
      ended.abort();
      await Promise.all([files.stop(), journalOrRing.stop(), running]);
    },
  };
};
