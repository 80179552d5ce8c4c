import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { parseVkey } from '#vault/checkpoint';
import { openDurable } from '#vault/durable';
import {
  beginMemory,
  createWitness,
  knownLogs,
  openPublisher,
  openWatcher,
  openWitness,
  parsePlace,
  startWatching,
  witnessLayout,
} from '#witness';

export type AgentWitnessOptions = {
  /** `spool/` of this host: what the agent remembers of the log lies in `witness/` in it. */
  spool: string;
  /** Where the log is published: `unix:SOCKET` or a URL. */
  publisher: string;
  vkeyFile: string;
  clock: Clock;
  log: OwnLog;
  fail(error: unknown): void;
};

/** How often the publisher is asked; each cosignature is a line, and so another checkpoint. */
const everyMs = 60_000;
/** How soon a witness that could not begin tries again, and how often the log's key is looked at. */
const retryMs = 60_000;

/**
 * An agent is a witness of the log that it sends to: it remembers the newest checkpoint that it has seen, cosigns only
 * what continues it, and keeps what contradicts it. That it cannot must not keep it from shipping.
 */
export const startAgentWitness = (options: AgentWitnessOptions): { stop(): Promise<void> } => {
  const { vkeyFile, log } = options;
  let running: { keys: string; stop(): Promise<void> } | null = null;
  let earlier: string[] = [];
  let complained = '';

  const look = async (): Promise<void> => {
    try {
      const keys = readFileSync(vkeyFile, 'utf8').trim();
      if (running?.keys === keys) return;
      // The log's key was replaced: notes of before are still signed by the old one.
      if (running !== null) earlier = [running.keys, ...earlier];
      await running?.stop();
      running = null;
      running = { keys, ...(await begin(options, [keys, ...earlier])) };
      complained = '';
    } catch (error) {
      const message = `cannot witness the log: ${messageOf(error)}; trying again`;
      if (message !== complained) log('warning', message);
      complained = message;
    }
  };

  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, retryMs);
  return {
    async stop() {
      clearInterval(timer);
      await looking;
      await running?.stop();
    },
  };
};

const begin = async (
  { spool, publisher, clock, log, fail }: AgentWitnessOptions,
  logKeys: readonly string[],
): Promise<{ stop(): Promise<void> }> => {
  const keys = logKeys.map(parseVkey);
  const origin = keys[0]?.name ?? '';
  const layout = witnessLayout(join(spool, 'witness'));
  const name = existsSync(layout.vkey) ? null : `${hostname()}/agent/${randomBytes(4).toString('hex')}`;
  const signer = createWitness(layout, layout.key, name);
  await beginMemory(layout, openDurable({ scratch: layout.scratch }), origin, signer.vkey);
  const witness = await openWitness({ layout, signer, logs: knownLogs(keys), clock, log, fail });
  const place = parsePlace(publisher);
  const asking = new AbortController();
  const watching = startWatching({
    watcher: openWatcher(witness, openPublisher(place, origin, keys, asking.signal), origin, clock),
    origin,
    shown: place.shown,
    every: everyMs,
    log,
    random: Math.random,
  });
  return {
    async stop() {
      const stopped = watching.stop();
      asking.abort();
      await stopped;
      await witness.close();
    },
  };
};
