import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { deliveringDirectory, startDelivering, startPushing, startStamping } from '#courier';
import { connectOwn, selfLine } from '#ship/delivery';
import { parseVkey, parseWitnessVkey, type Vkey } from '#vault/checkpoint';
import { notifyTarget } from '#wire/alert';
import { closeAfter } from './last-words.ts';
import { openPublisher, parsePlace, type Publisher } from '#witness';

const config = z.strictObject({
  /** Root of the state directory; `feeds/` in it belongs to this process's user. */
  state: z.string().min(1),
  /** Outside witnesses that take checkpoints. */
  witnesses: z.array(z.strictObject({ vkey: z.string(), url: z.string() })),
  /** Seconds between two checkpoints that are brought to a witness. */
  every: z.number().positive().default(60),
  /** Time stamping authority (RFC 3161), and how often it is asked. */
  timestamps: z.strictObject({ url: z.url(), everySeconds: z.number().positive().default(3600) }).optional(),
  /** Who is told of alerts, and how. */
  notify: z.array(notifyTarget).default([]),
});

/** The log's keys, newest first: what the file has now, and what it had since the start. */
const keysOf = (file: string): (() => [Vkey, ...Vkey[]]) => {
  const read = (): Vkey => parseVkey(readFileSync(file, 'utf8'));
  let keys: [Vkey, ...Vkey[]] = [read()];
  return () => {
    const now = read();
    if (!now.keyId.equals(keys[0].keyId)) keys = [now, ...keys];
    return keys;
  };
};

/** Brings alerts to people, checkpoints to outside witnesses, and what becomes of both into the log. */
await runChild(
  'courier',
  (value) => config.parse(value),
  async ({ state, witnesses, every, timestamps, notify }, log) => {
    const { alerts, feeds, ownSocket: socket, publishSocket, vkeyFile } = stateDirectory(state);
    const clock = systemClock();
    const logKeys = keysOf(vkeyFile);
    const [{ name: origin }] = logKeys();
    const spool = join(feeds, 'courier');
    const deliverer = await connectOwn({ socket, sender: 'courier', stream: 'courier', spool, clock, log });
    const publisher = (signal: AbortSignal): Publisher =>
      openPublisher(parsePlace(`unix:${publishSocket}`), origin, logKeys(), signal);
    const say = (kind: string, fields: Record<string, unknown>): Promise<void> => {
      const { meta, raw } = selfLine(clock, kind, fields);
      return deliverer.send(meta, raw);
    };
    const working = witnesses.map(({ vkey, url }): { stop(): Promise<void> } =>
      startPushing({
        publisher,
        origin,
        logKeys,
        witness: { vkey: parseWitnessVkey(vkey), place: parsePlace(url) },
        every: every * 1000,
        say,
        log,
      }),
    );
    if (timestamps !== undefined) {
      const { url: authority, everySeconds } = timestamps;
      working.push(startStamping({ publisher, authority, every: everySeconds * 1000, say, log }));
    }
    if (notify.length > 0) {
      const outbox = join(alerts, 'outbox');
      const directory = deliveringDirectory(feeds);
      working.push(startDelivering({ outbox, directory, targets: notify, say, clock, log }));
    }
    return {
      addresses: {},
      async stop() {
        await closeAfter(Promise.all(working.map((one) => one.stop())), deliverer);
      },
    };
  },
);
