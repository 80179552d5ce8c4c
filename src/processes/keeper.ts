import { hostname } from 'node:os';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { openAppender, startSequencer } from '#vault/append';

/** Of the time that the supervisor gives a stop, what is left over is for the commit that is under way at its end. */
const stopWithinMs = 800;

/** The keeper: the vault's only writer. No network. Any fault ends it; the next start goes on from what is durable. */
await runChild(
  'keeper',
  (config) => z.strictObject({ state: z.string().min(1) }).parse(config),
  async ({ state }, log, fail) => {
    // Readers of the vault come in through its group; nobody else has any business with it.
    process.umask(0o027);
    const { vault, keys, intake } = stateDirectory(state);
    const clock = systemClock();
    const appender = await openAppender({ vault, keys, clock });
    if (appender.recovered)
      log('info', `completed a commit that was cut short; the vault has ${appender.size()} entries`);
    const sequencer = startSequencer({ appender, intake, clock, host: hostname(), log });
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
