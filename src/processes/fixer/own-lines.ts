import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { openOwnSender, type OwnSender } from '#ship/import';
import type { Entry, Journal, Told } from '#fix';

/**
 * The steps of fixes as lines of the log. Each fix is a stream whose numbers are those of its journal, so all of it can be
 * sent again whenever the receiver is back: search shows each step once.
 */
export type OwnLines = {
  /** Durable with the receiver when it returns, where one takes it; a fix goes on without one that does not in time. */
  say(id: string, entry: Entry): Promise<void>;
  /** Sends all of a journal: what was said while nobody took it. */
  sayAgain(journal: Journal): Promise<void>;
  /** Sends a step that no journal has: not under a number of the fix, so it cannot be sent again. */
  sayAside(id: string, entry: Told, time: string): Promise<void>;
  /** Why one of the lines was not taken, also where others were since; `null` where all were. */
  away(): string | null;
  /** How many that were said aside nobody is known to have taken. No journal has them. */
  asidesLost(): number;
  close(): void;
};

/**
 * How long the receiver may take for a step, or for all steps of a fix; and where it did not, after how long it is asked
 * again, which matters to an undo that waits.
 */
type Patience = { takeWithinMs: number; askAgainMs: number };

const usual: Patience = { takeWithinMs: 5_000, askAgainMs: 30_000 };

export const openOwnLines = (
  state: Pick<StateDirectory, 'ownSocket'>,
  { takeWithinMs, askAgainMs }: Patience = usual,
): OwnLines => {
  const senders = new Map<string, OwnSender>();
  let missed: string | null = null;
  let asidesLost = 0;
  /** Until then the receiver is not asked; `null` where it took what it was last asked to. */
  let retryAt: number | null = null;
  const close = (): void => {
    for (const sender of senders.values()) sender.close();
    senders.clear();
  };
  const senderOf = async (key: string, stream: string): Promise<OwnSender> => {
    const known = senders.get(key);
    if (known !== undefined) return known;
    const sender = await openOwnSender(state.ownSocket, { sender: 'fixer', stream });
    senders.set(key, sender);
    return sender;
  };
  const send = async (id: string, entries: readonly Entry[]): Promise<void> => {
    const sender = await senderOf(id, `fix-${id}`);
    for (const entry of entries) {
      // Numbers of a stream are contiguous from 1, as those of the journal are.
      if (entry.n !== sender.sent() + 1) continue;
      await sender.send({ meta: { via: 'self', host: hostname() }, raw: rawOf(id, entry) });
    }
    await sender.flushed();
  };
  const sendAside = async (id: string, entry: Told, time: string): Promise<void> => {
    // A sender counts from 1: each that is opened has a stream of its own, so that no number has two lines.
    const sender = await senderOf(`aside ${id}`, `fix-${id}-${randomBytes(8).toString('hex')}`);
    const raw = Buffer.from(JSON.stringify({ kind: 'fix', time, fix: id, ...entry, journal: 'has it not' }));
    await sender.send({ meta: { via: 'self', host: hostname() }, raw });
    await sender.flushed();
  };
  const attempt = async (sending: () => Promise<void>): Promise<'taken' | 'missed'> => {
    if (retryAt !== null) {
      if (performance.now() < retryAt) return 'missed';
      close();
    }
    const taken = new AbortController();
    const late = sleep(takeWithinMs, undefined, { signal: taken.signal }).then(() => {
      throw new Error(`${state.ownSocket}: the receiver did not take it within ${takeWithinMs / 1000} s`);
    });
    try {
      await Promise.race([sending(), late]);
      retryAt = null;
      return 'taken';
    } catch (error) {
      missed = messageOf(error);
      retryAt = performance.now() + askAgainMs;
      return 'missed';
    } finally {
      taken.abort();
    }
  };
  return {
    say: async (id, entry) => void (await attempt(async () => send(id, [entry]))),
    sayAgain: async ({ id, entries }) => void (await attempt(async () => send(id, entries))),
    sayAside: async (id, { step, outcome, text }, time) => {
      const how = await attempt(async () => sendAside(id, { step, outcome, text }, time));
      if (how === 'missed') asidesLost += 1;
    },
    away: () => missed,
    asidesLost: () => asidesLost,
    close,
  };
};

/** Without the texts of files, which may hold passwords: their paths and hashes. */
const rawOf = (id: string, { n, time, step, outcome, text, state, opening }: Entry): Buffer =>
  Buffer.from(
    JSON.stringify({
      kind: 'fix',
      time,
      fix: id,
      n,
      step,
      outcome,
      text,
      ...(state === undefined ? {} : { state }),
      ...(opening === undefined
        ? {}
        : {
            uid: process.getuid?.() ?? -1,
            unit: opening.plan.unit,
            service: opening.plan.service,
            files: opening.backups.map(({ path, before, after }) => ({ path, before, after })),
          }),
    }),
  );
