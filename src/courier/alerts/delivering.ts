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
const longestWordMs = 10_000;

/** What became of an attempt, as its line has it. */
type Outcome =
  | { result: 'delivered' }
  | { result: 'failed'; why: string; triedUntil: string }
  | { result: 'given up'; why: string };

const severities = { delivered: 'info', failed: 'error', 'given up': 'critical' } as const;

/** Of a delivery, in this process. */
type Trial = {
  failures: number;
  /** When it is to be tried again, by the clock's `elapsed`. */
  due: number;
  /** It is over, and could not be kept as that: it is not made once more. */
  settled: Outcome | null;
};

/**
 * Delivers each notification to each whom it names, at least once: it is taken into this directory before anything else
 * happens, tried until it succeeds or is given up, and every attempt is a line. Those who are notified do not wait for one
 * another; nor do the deliveries to one of them, but for a short rest after each that fails.
 */
export const startDelivering = (options: DeliveringOptions): { stop(): Promise<void> } => {
  const { targets, clock, log } = options;
  const pollMs = options.pollMs ?? 1000;
  const retryMs = options.retryMs ?? 2000;
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

  const restAfter = (failures: number): number =>
    Math.min(longestRestMs, retryMs * 2 ** Math.min(failures - 1, 12));

  const deliverNext = async (
    target: NotifyTarget,
    trials: Map<number, Trial>,
  ): Promise<Outcome['result'] | 'nothing to do'> => {
    const now = clock.elapsed();
    const delivery = deliveries.next(target.name, (place) => (trials.get(place)?.due ?? now) <= now);
    if (delivery === null) return 'nothing to do';
    const { place } = delivery;
    const before = trials.get(place);
    const outcome = before?.settled ?? (await attempt(options, target, delivery));
    const failures = (before?.failures ?? 0) + 1;
    const settled = outcome.result === 'failed' ? null : outcome;
    trials.set(place, { failures, due: clock.elapsed() + restAfter(failures), settled });
    if (settled === null) deliveries.tried(delivery);
    else {
      deliveries.done(delivery);
      trials.delete(place);
    }
    await tell(target, delivery, outcome);
    return outcome.result;
  };

  /** Its line. One that has to wait, for room on a disk that is full, holds nothing up. */
  const tell = async (
    target: NotifyTarget,
    { notification, to, attempts }: Delivery,
    { result, ...more }: Outcome,
  ): Promise<void> => {
    const { rule, id } = notification;
    const said = options.say('alert-delivery', {
      severity: severities[result],
      rule,
      id,
      notify: target.name,
      by: target.how.by,
      to,
      attempt: attempts + 1,
      /** To how many places this goes. */
      of: placesOf(target).length,
      result,
      ...more,
    });
    const heard = said.catch((error: unknown) =>
      log('error', `${id} to ${target.name} (${to}) was ${result}, without a line: ${messageOf(error)}`),
    );
    const enough = new AbortController();
    const signal = AbortSignal.any([ending.signal, enough.signal]);
    await Promise.race([heard, wait(longestWordMs, undefined, { signal }).catch(() => undefined)]);
    enough.abort();
  };

  const deliverTo = async (target: NotifyTarget): Promise<void> => {
    const trials = new Map<number, Trial>();
    let troubles = 0;
    while (!ending.signal.aborted) {
      try {
        const result = await deliverNext(target, trials);
        troubles = 0;
        if (result === 'nothing to do') await rest(pollMs);
        if (result === 'failed') await rest(retryMs);
      } catch (error) {
        troubles += 1;
        if (troubles === 1)
          log('error', `what is delivered to ${target.name} cannot be kept: ${messageOf(error)}`);
        await rest(restAfter(1));
      }
    }
  };

  const forgotten = deliveries.waiting().filter((name) => !targets.some((target) => target.name === name));
  for (const name of forgotten)
    log(
      'warning',
      `there is something to deliver to ${name}, and no [[notify]] of that name any more: it waits`,
    );
  const working = [takeAll(), ...targets.map(deliverTo)];
  return {
    async stop() {
      ending.abort();
      await Promise.all(working);
      deliveries.close();
    },
  };
};

const attempt = async (
  { clock, log }: DeliveringOptions,
  target: NotifyTarget,
  { notification, to, since }: Delivery,
): Promise<Outcome> => {
  try {
    await bring(target, to, notification, clock);
    return { result: 'delivered' };
  } catch (error) {
    const why = messageOf(error);
    const ends = since + target.giveUp * 1_000_000;
    const result = clock.now() >= ends ? 'given up' : 'failed';
    log('warning', `${notification.rule} to ${target.name} (${to}): ${result}: ${why}`);
    return result === 'failed' ? { result, why, triedUntil: formatMicros(micros(ends)) } : { result, why };
  }
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
