import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { startReceiver } from '#receive';

const config = z.strictObject({
  /** Root of the state directory; `intake/` and `run/` in it belong to this process's user. */
  state: z.string().min(1),
  listen: z.array(
    z.strictObject({
      kind: z.enum(['syslog-tcp', 'syslog-udp']),
      host: z.string().min(1),
      port: z.int().min(0).max(65_535),
    }),
  ),
});

await runChild(
  'receiver',
  (value) => config.parse(value),
  ({ state, listen }, log, fail) =>
    startReceiver({ state: stateDirectory(state), listen, clock: systemClock(), log, onFault: fail }),
);
