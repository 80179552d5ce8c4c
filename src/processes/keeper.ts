import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { HoldfastError } from '#base/errors';
import type { OwnLog } from '#base/own-log';
import { stateDirectory } from '#base/state';
import { openAppender, startSequencer } from '#vault/append';
import { parseWitnessVkey } from '#vault/checkpoint';
import { openInbox } from '#vault/request';

import { readUnsealedKey } from './unsealed-key.ts';

/** Of the time that the supervisor gives a stop, what is left over is for the commit that is under way at its end. */
const stopWithinMs = 800;

/** The keeper: the vault's only writer. No network. Any fault ends it; the next start goes on from what is durable. */
const keeperConfig = z.strictObject({
  state: z.string().min(1),
  /** Whose cosignatures count, and how many of them make a checkpoint witnessed. */
  witnesses: z.strictObject({ quorum: z.int().positive(), vkeys: z.array(z.string()).min(1) }).optional(),
});

/** A commit that was cut short by a full disk can only be completed when there is space: a start waits for it. */
const whenThereIsSpace = async <T>(log: OwnLog, open: () => Promise<T>): Promise<T> => {
  for (let said = false; ; said = true) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'no-space') throw error;
      if (!said)
        log(
          'error',
          `cannot begin: ${error.message}. Free space there (docs/disk-space.md says how); it is tried again each second`,
        );
      await sleep(1000);
    }
  }
};

await runChild(
  'keeper',
  (config) => keeperConfig.parse(config),
  async ({ state, witnesses }, log, fail) => {
    // Readers of the vault come in through its group; nobody else has any business with it.
    process.umask(0o027);
    const { vault, keys, intake } = stateDirectory(state);
    const clock = systemClock();
    const unsealedKey = readUnsealedKey(process.env);
    const appender = await whenThereIsSpace(log, () =>
      openAppender({ vault, keys, clock, ...(unsealedKey === undefined ? {} : { unsealedKey }) }),
    );
    if (appender.recovered)
      log('info', `completed a commit that was cut short; the vault has ${appender.size()} entries`);
    const inbox = await openInbox(keys, { fate: appender.fate });
    const sequencer = startSequencer({
      appender,
      intake,
      clock,
      host: hostname(),
      log,
      inbox,
      ...(witnesses === undefined
        ? {}
        : { witnesses: { quorum: witnesses.quorum, witnesses: witnesses.vkeys.map(parseWitnessVkey) } }),
    });
    let stopping = false;
    sequencer.ended.catch((error: unknown) => {
      if (!stopping) fail(error);
    });
    return {
      addresses: {},
      async stop() {
        stopping = true;
        await sequencer.stop(stopWithinMs);
      },
    };
  },
);
