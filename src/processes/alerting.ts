import { z } from 'zod';
import { startAlerts, type Alerts, type Voice } from '#alert';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import type { Index } from '#index';
import { selfLine, type Deliverer } from '#ship/delivery';
import { alertName, alertRule } from '#wire/alert';

export const alertingConfig = z.strictObject({
  rules: z.array(alertRule),
  /** Names of all who can be notified. */
  notify: z.array(alertName),
});

type Parts = { state: StateDirectory; index: Index; clock: Clock; log: OwnLog; deliverer: Deliverer };

/** Alerts, with their way into the log. Where they cannot be started, search is served all the same, and says why. */
export const openAlerting = async (
  { rules, notify }: z.infer<typeof alertingConfig>,
  { state, index, clock, log, deliverer }: Parts,
): Promise<{ alerts: Alerts; stop(): Promise<void> } | { broken: string }> => {
  const voice: Voice = {
    async say(words, store, last) {
      await deliverer.put(
        words.map(({ kind, fields }) => selfLine(clock, kind, fields)),
        { [store]: last },
      );
    },
    said: (store) => Number(deliverer.cursors.get(store) ?? 0),
    connected: () => deliverer.backlog().connected,
  };
  try {
    const alerts = await startAlerts({ directory: state.alerts, index, rules, notify, voice, clock, log });
    return { alerts, stop: () => alerts.stop() };
  } catch (error) {
    const broken = `alerts are not evaluated: ${messageOf(error)}`;
    log('error', broken);
    return { broken };
  }
};
