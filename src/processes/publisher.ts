import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { startPublisher } from '#publish';

const config = z.strictObject({
  /** Root of the state directory; `run/publisher/` in it belongs to this process's user. */
  state: z.string().min(1),
  /** Also over TCP; left out: on the unix socket alone. */
  publish: z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) }).optional(),
  /** Verification keys of the witnesses that this log asks. */
  witnesses: z.array(z.string()).default([]),
});

/** What of the vault anybody may see, over HTTP. Writes nothing. */
await runChild(
  'publisher',
  (value) => config.parse(value),
  ({ state, publish, witnesses }, log) =>
    startPublisher({
      state: stateDirectory(state),
      tcp: publish ?? null,
      witnesses,
      clock: systemClock(),
      log,
    }),
);
