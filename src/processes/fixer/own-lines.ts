import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { openOwnSender, type OwnSender } from '#ship/import';
import type { Entry, Journal } from '#fix';

/**
 * The steps of fixes as lines of the log. Each fix is a stream whose numbers are those of its journal, so all of it can be
 * sent again whenever the receiver is back: search shows each step once.
 */
export type OwnLines = {
  /** Durable with the receiver when it returns, where one takes it; a fix goes on without one that does not in time. */
  say(id: string, entry: Entry): Promise<void>;
  /** Sends all of a journal: what was said while nobody took it. */
  sayAgain(journal: Journal): Promise<void>;
  /** Why the last line was not taken; `null` where all were. */
  away(): string | null;
  close(): void;
};

/** How long the receiver may take for a step, or for all steps of a fix. */
const takeWithinMs = 5_000;

export const openOwnLines = (
  state: Pick<StateDirectory, 'ownSocket'>,
  patienceMs = takeWithinMs,
): OwnLines => {
  const senders = new Map<string, OwnSender>();
  let fault: string | null = null;
  const senderOf = async (id: string): Promise<OwnSender> => {
    const known = senders.get(id);
    if (known !== undefined) return known;
    const sender = await openOwnSender(state.ownSocket, { sender: 'fixer', stream: `fix-${id}` });
    senders.set(id, sender);
    return sender;
  };
  const send = async (id: string, entries: readonly Entry[]): Promise<void> => {
    const sender = await senderOf(id);
    for (const entry of entries) {
      // Numbers of a stream are contiguous from 1, as those of the journal are.
      if (entry.n !== sender.sent() + 1) continue;
      await sender.send({ meta: { via: 'self', host: hostname() }, raw: rawOf(id, entry) });
    }
    await sender.flushed();
  };
  const attempt = async (id: string, entries: readonly Entry[]): Promise<void> => {
    if (fault !== null) return;
    const taken = new AbortController();
    const late = sleep(patienceMs, undefined, { signal: taken.signal }).then(() => {
      throw new Error(`${state.ownSocket}: the receiver did not take it within ${patienceMs / 1000} s`);
    });
    try {
      await Promise.race([send(id, entries), late]);
    } catch (error) {
      fault = messageOf(error);
    } finally {
      taken.abort();
    }
  };
  return {
    say: async (id, entry) => attempt(id, [entry]),
    sayAgain: async ({ id, entries }) => attempt(id, entries),
    away: () => fault,
    close: () => {
      for (const sender of senders.values()) sender.close();
    },
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
