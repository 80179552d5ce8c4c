import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { startReceiver } from '#receive';

const config = z.strictObject({
  /** Root of the state directory; `intake/` and `run/` in it belong to this process's user. */
  state: z.string().min(1),
  /** Where its own socket is made, if not at `run/own.sock`. */
  ownSocket: z.string().min(1).optional(),
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
  ({ state: root, listen, ownSocket }, log, fail) => {
    const state = stateDirectory(root);
    return startReceiver({
      state: { ...state, ownSocket: ownSocket ?? state.ownSocket },
      listen,
      clock: systemClock(),
      log,
      onFault: fail,
    });
  },
);
