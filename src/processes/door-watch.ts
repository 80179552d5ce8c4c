import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatMicros } from '#base/rfc3339';
import type { StateDirectory } from '#base/state';
import {
  collectServices,
  newMemory,
  noteUses,
  packageFinder,
  parseBook,
  useWatcher,
  type Listener,
  type UseBook,
} from '#inspect';
import { doorFacts } from './service-facts.ts';
import { writeRunFile, type Owner } from './up/run-file.ts';

const scanEveryMs = 5_000;
const sampleEveryMs = 5_000;

/**
 * The agent runs without the privileges that it takes to see whose sockets are whose; the supervisor, which has no
 * network, looks every five seconds and leaves what it saw in `run/facts.json`. Every five seconds it notes who uses the
 * doors, in `run/uses.json`, which is root's. Only where it runs as root.
 * @param owner the agent
 * @returns the file of the facts, once it is there
 */
export const keepDoorsWatched = async (
  state: StateDirectory,
  log: OwnLog,
  owner: Owner,
): Promise<{ file: string; stop(): void }> => {
  const clock = systemClock();
  const packages = packageFinder();
  const memory = newMemory();
  const doors = doorFacts();
  const watcher = useWatcher(undefined, packages);
  const now = (): string => formatMicros(clock.now());
  let listeners: readonly Listener[] = [];
  let book = readBook(join(state.run, 'uses.json')) ?? {
    since: now(),
    watchedMs: 0,
    everyMs: sampleEveryMs,
    uses: [],
  };
  let written = '';

  const scan = async (): Promise<string> => {
    const report = await collectServices({ packages, memory });
    ({ listeners } = report);
    const text = JSON.stringify(await doors.factsOf(report, book));
    if (text !== written) writeRunFile(state, 'facts.json', text, owner);
    written = text;
    return join(state.run, 'facts.json');
  };
  const sample = async (): Promise<void> => {
    const { uses } = await watcher.sample(listeners);
    book = noteUses(book, uses, now(), sampleEveryMs);
    writeRunFile(state, 'uses.json', JSON.stringify(book), null);
  };
  const file = await scan();
  const stopping = [
    again('the facts of this host', scanEveryMs, scan, log),
    again('who uses the doors', sampleEveryMs, sample, log),
  ];
  return {
    file,
    stop() {
      for (const stop of stopping) stop();
    },
  };
};

/** Does it again and again, never twice at once. @returns what ends it */
const again = (what: string, everyMs: number, act: () => Promise<unknown>, log: OwnLog): (() => void) => {
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    act()
      .catch((error: unknown) => log('error', `${what} could not be collected: ${messageOf(error)}`))
      .finally(() => (running = false));
  }, everyMs);
  return () => clearInterval(timer);
};

/** What an earlier process of this host has noted; one that cannot be read is begun anew. */
const readBook = (file: string): UseBook | null => {
  try {
    return parseBook(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
};
