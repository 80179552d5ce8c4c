import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '#base/clock';
import { messageOf } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { formatMicros } from '#base/rfc3339';
import { micros } from '#base/clock';
import type { Notification, NotifyTarget } from '#wire/alert';
import { runCommand } from './command.ts';
import { openDeliveries, placesOf, type Delivery } from './deliveries.ts';
import { sendMail } from './email.ts';
import { openOutbox } from './outbox.ts';
import { postWebhook } from './webhook.ts';

export type DeliveringOptions = {
  /** Where the indexer lays out what is to be delivered. */
  outbox: string;
  /** A directory of the courier's own, for what it has still to deliver. */
  directory: string;
  targets: readonly NotifyTarget[];
  /** Hands a line in, and resolves when it is durable. */
  say(kind: string, fields: Record<string, unknown>): Promise<void>;
  clock: Clock;
  log: OwnLog;
  /** How often the outbox is looked at. */
  pollMs?: number;
  /** Rest after the first attempt that fails; twice as long after each more, up to ten minutes. */
  retryMs?: number;
};

const longestRestMs = 600_000;

/**
 * Delivers each notification to each whom it names, at least once: it is taken into this directory before anything else
 * happens, tried until it succeeds or is given up, and every attempt is a line. Those who are notified do not wait for one
 * another.
 */
export const startDelivering = (options: DeliveringOptions): { stop(): Promise<void> } => {
  const { targets, clock, log } = options;
  const pollMs = options.pollMs ?? 1000;
  const deliveries = openDeliveries(options.directory);
  const outbox = openOutbox(options.outbox, () => BigInt(Date.now()) * 1_000_000n, log);
  const ending = new AbortController();
  const rest = (ms: number): Promise<unknown> =>
    wait(ms, undefined, { signal: ending.signal }).catch(() => undefined);
  let complained = '';

  const take = (): void => {
    for (const notification of outbox.read((store, number) => deliveries.has({ store, number }))) {
      const known = targets.filter(({ name }) => notification.notify.includes(name));
      for (const name of notification.notify)
        if (!known.some((target) => target.name === name))
          log('error', `${notification.id} was to go to ${name}, and there is no [[notify]] of that name`);
      deliveries.take(notification, known, clock.now());
    }
  };

  const takeAll = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        take();
        complained = '';
      } catch (error) {
        const why = `cannot look for what is to be delivered: ${messageOf(error)}`;
        if (why !== complained) log('error', why);
        complained = why;
      }
      await rest(pollMs);
    }
  };

  const deliverTo = async (target: NotifyTarget): Promise<void> => {
    let failures = 0;
    while (!ending.signal.aborted) {
      const delivery = deliveries.next(target.name);
      const outcome = delivery === null ? 'nothing to do' : await attempt(options, target, delivery);
      if (delivery !== null && (outcome === 'delivered' || outcome === 'given up')) deliveries.done(delivery);
      if (delivery !== null && outcome === 'failed') deliveries.tried(delivery);
      failures = outcome === 'failed' ? failures + 1 : 0;
      if (failures > 0)
        await rest(Math.min(longestRestMs, (options.retryMs ?? 2000) * 2 ** Math.min(failures - 1, 12)));
      else if (outcome === 'nothing to do') await rest(pollMs);
    }
  };

  const forgotten = deliveries.waiting().filter((name) => !targets.some((target) => target.name === name));
  for (const name of forgotten)
    log(
      'warning',
      `there is something to deliver to ${name}, and no [[notify]] of that name any more: it waits`,
    );
  const working = [takeAll(), ...targets.map(deliverTo)].map((work) =>
    work.catch((error: unknown) => {
      log('error', `alerts are not delivered any more: ${messageOf(error)}`);
      throw error;
    }),
  );
  return {
    async stop() {
      ending.abort();
      await Promise.all(working);
      deliveries.close();
    },
  };
};

/** One attempt, and its line. */
const attempt = async (
  { say, clock, log }: DeliveringOptions,
  target: NotifyTarget,
  { notification, to, attempts, since }: Delivery,
): Promise<'delivered' | 'failed' | 'given up'> => {
  const about = {
    rule: notification.rule,
    id: notification.id,
    notify: target.name,
    by: target.how.by,
    to,
    attempt: attempts + 1,
    /** To how many places this goes. */
    of: placesOf(target).length,
  };
  let why: string;
  try {
    await bring(target, to, notification, clock);
    await say('alert-delivery', { severity: 'info', ...about, result: 'delivered' });
    return 'delivered';
  } catch (error) {
    why = messageOf(error);
  }
  const ends = since + target.giveUp * 1_000_000;
  const isOver = clock.now() >= ends;
  const result = isOver ? 'given up' : 'failed';
  log('warning', `${notification.rule} to ${target.name} (${to}): ${result}: ${why}`);
  const until = isOver ? {} : { triedUntil: formatMicros(micros(ends)) };
  await say('alert-delivery', { severity: isOver ? 'critical' : 'error', ...about, result, why, ...until });
  return result;
};

const bring = async (
  { how }: NotifyTarget,
  to: string,
  notification: Notification,
  clock: Clock,
): Promise<void> => {
  switch (how.by) {
    case 'email':
      return sendMail(how, to, notification);
    case 'webhook':
      return postWebhook(how, notification, Math.floor(clock.now() / 1_000_000));
    case 'command':
      return runCommand(how, notification);
  }
};

/** Where the courier keeps what it has to deliver. */
export const deliveringDirectory = (feeds: string): string => join(feeds, 'alerts');
