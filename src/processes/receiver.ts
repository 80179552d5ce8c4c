import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { passOn, startReceiver } from '#receive';
import { allowed, allowedByDefault, listenOn, senderLimits, tlsFiles } from '#wire/listen';

const config = z.strictObject({
  /** Root of the state directory; `intake/` and `run/` in it belong to this process's user. */
  state: z.string().min(1),
  /** Where its own socket is made, if not at `run/own.sock`. */
  ownSocket: z.string().min(1).optional(),
  listen: z.array(listenOn),
  allowed: allowed.default(allowedByDefault),
  tls: tlsFiles.nullable().default(null),
  /** Where requests for certificates are put for the issuer; left out: there is none. */
  asked: z.string().min(1).optional(),
  limits: senderLimits.default({}),
});

await runChild(
  'receiver',
  (value) => config.parse(value),
  ({ state: root, ownSocket, asked, limits, ...given }, log, fail) => {
    const state = stateDirectory(root);
    return startReceiver({
      state: { ...state, ownSocket: ownSocket ?? state.ownSocket },
      ...given,
      certificates: asked === undefined ? null : passOn(asked),
      limits: { sender: limits },
      clock: systemClock(),
      log,
      onFault: fail,
    });
  },
);
