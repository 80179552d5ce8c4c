import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { micros, systemClock, type Clock, type Micros } from '#base/clock';
import { notification, type AlertRule, type Notification } from '#wire/alert';
import { startAlerts, type Alerts } from '../alerts.ts';
import type { Voice } from '../publish.ts';
import { serveVault, type ServedVault } from '../../search/testing/served-vault.ts';
import type { TestLine } from '../../index/testing/grown-vault.ts';

/** Alerts over a real vault and index; what they say is kept here instead of going to a receiver. */
export type Alerted = {
  served: ServedVault;
  directory: string;
  alerts(): Alerts;
  /** Lines that were said. */
  said: Record<string, unknown>[];
  voice: { connected: boolean };
  /** Commits lines and waits until every rule has looked at them. */
  add(lines: TestLine[]): Promise<void>;
  /** Waits until every rule has looked at an entry; what it found may not be said yet. */
  lookedAt(entry: number): Promise<void>;
  notifications(): Notification[];
  /** Ends the evaluation and begins it again over the same index and what was kept. @param rules instead of those before */
  restart(rules?: readonly AlertRule[], clock?: Clock): Promise<void>;
  remove(): Promise<void>;
};

export const serveAlerts = async (
  rules: readonly AlertRule[],
  lines: TestLine[] = [],
  clock: Clock = systemClock(),
): Promise<Alerted> => {
  const served = await serveVault(lines);
  const directory = join(served.grown.root, 'alerts');
  const outbox = join(directory, 'outbox');
  const said: Record<string, unknown>[] = [];
  const numbers = new Map<string, number>();
  const state = { connected: true };
  const voice: Voice = {
    async say(words, store, last) {
      said.push(...words.map(({ kind, fields }) => ({ kind, ...fields })));
      numbers.set(store, last);
    },
    said: (store) => numbers.get(store) ?? 0,
    connected: () => state.connected,
  };
  const start = (some: readonly AlertRule[], at: Clock): Promise<Alerts> =>
    startAlerts({
      directory,
      index: served.index,
      rules: some,
      notify: ['admins'],
      voice,
      clock: at,
      log: () => undefined,
      paceMs: 0,
      failingMs: 0,
      restMs: 5,
    });
  let alerts = await start(rules, clock);
  const lookedAt = async (indexed: number): Promise<void> => {
    for (let waited = 0; ; waited += 10) {
      const states = await alerts.list();
      if (
        states.every(
          ({ state: is, evaluated, behind }) => is === 'broken' || (evaluated >= indexed && behind === 0),
        )
      )
        break;
      if (waited > 60_000) throw new Error(`not looked at: ${JSON.stringify(states)}`);
      await sleep(10);
    }
  };
  const settled = async (): Promise<void> => {
    await lookedAt(served.index.state().indexed);
    // What was found is said and written by the end; and nothing may hang on what is in memory alone.
    await alerts.stop();
    alerts = await start(current.rules, current.clock);
  };
  const current = { rules, clock };
  await settled();
  return {
    served,
    directory,
    alerts: () => alerts,
    said,
    voice: state,
    async add(more) {
      await served.add(more);
      await settled();
    },
    lookedAt: (entry) => lookedAt(entry + 1),
    notifications: () =>
      existsSync(outbox)
        ? readdirSync(outbox)
            .filter((name) => name.endsWith('.json'))
            .toSorted()
            .map((name) => notification.parse(JSON.parse(readFileSync(join(outbox, name), 'utf8'))))
        : [],
    async restart(some = rules, at = clock) {
      await alerts.stop();
      Object.assign(current, { rules: some, clock: at });
      alerts = await start(some, at);
      await settled();
    },
    async remove() {
      await alerts.stop();
      await served.remove();
    },
  };
};

/** A line of RFC 3164, received at a time. */
export const lineAt = (received: Micros, host: string, message: string): TestLine => ({
  received,
  raw: `<38>1 ${new Date(received / 1000).toISOString()} ${host} sshd 1 - - ${message}`,
});

export const secondsAfter = (time: Micros, seconds: number): Micros => micros(time + seconds * 1_000_000);
