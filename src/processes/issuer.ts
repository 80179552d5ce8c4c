import { join } from 'node:path';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { startIssuer } from '#pki/issue';
import { connectOwn } from '#ship/delivery';
import { hostname } from 'node:os';

const config = z.strictObject({
  /** Root of the state directory; `issuer/` and `issued/` in its `pki/` belong to this process's user. */
  state: z.string().min(1),
  /** Of the receiver: SPKI, base64. Its private key is not this process's to read. */
  serverKey: z.string().min(1),
  /** Host names and addresses by which senders know the receiver. */
  serverNames: z.array(z.string().min(1)).min(1),
});

/** Name of the position in the book up to which the log was told. */
const cursor = 'book';

/** Certifies hosts, and the receiver. Holds the authority's key; has no network. */
await runChild(
  'issuer',
  (value) => config.parse(value),
  async ({ state: root, ...given }, log, fail) => {
    const { pki, ownSocket: socket } = stateDirectory(root);
    const secret = join(pki, 'issuer');
    const clock = systemClock();
    const spool = join(secret, 'spool');
    const deliverer = await connectOwn({ socket, sender: 'issuer', stream: 'issuer', spool, clock, log });
    const before = z.int().safeParse(deliverer.cursors.get(cursor));
    const issuer = await startIssuer({
      ...given,
      secret,
      issued: join(pki, 'issued'),
      asked: join(pki, 'asked'),
      clock,
      log,
      told: before.success ? before.data : 0,
      async tell(events) {
        const last = events.at(-1);
        if (last === undefined) return;
        const lines = events.map((event) => ({
          meta: { via: 'self' as const, host: hostname() },
          raw: Buffer.from(JSON.stringify(event)),
        }));
        await deliverer.put(lines, { [cursor]: last.n });
      },
      onFault: fail,
    });
    return {
      addresses: {},
      async stop() {
        await issuer.stop();
        await deliverer.close(300);
      },
    };
  },
);
