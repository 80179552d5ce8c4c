import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { collectServices, packageFinder } from '#inspect';
import { connectOwn, startShipping, type Fact } from '#ship';

const config = z.strictObject({
  /** Root of the state directory; `spool/` in it belongs to this process's user. */
  state: z.string().min(1),
  /** Directories whose text files are followed. */
  logRoots: z.array(z.string().min(1)).default(['/var/log']),
  journal: z.enum(['auto', 'off']).default('auto'),
  /** Read only where there is no journal. */
  kernelRing: z.enum(['auto', 'off']).default('auto'),
});

const packages = packageFinder();

/** One fact for each endpoint, so that the log tells when which one came, changed and went. */
const serviceFacts = async (): Promise<Fact[]> => {
  const { listeners, couldNotLook } = await collectServices({ packages });
  const lasting = listeners.filter((listener) => listener.transient !== true);
  const byName = Map.groupBy(
    // Socket inodes are new with every restart and say nothing that the processes do not; JSON leaves out undefined.
    lasting.map((listener) => ({ ...listener, inodes: undefined, transient: undefined })),
    ({ protocol, address, port, netns }) =>
      `listener ${protocol} ${address} ${port ?? '-'} netns ${netns.inode ?? '-'}`,
  );
  const facts = [...byName].map(([name, value]): Fact => ({ name, value }));
  return [...facts, { name: 'listeners could-not-look', value: couldNotLook }];
};

await runChild(
  'agent',
  (value) => config.parse(value),
  async ({ state, logRoots, journal, kernelRing }, log, fail) => {
    const { root, spool, ownSocket: socket } = stateDirectory(state);
    const clock = systemClock();
    const deliverer = await connectOwn({
      socket,
      sender: 'agent',
      stream: 'agent',
      spool: join(spool, 'agent'),
      clock,
      log,
    });
    const shipping = startShipping({
      deliverer,
      logRoots,
      excluded: [realpathSync(root)],
      journal,
      kernelRing,
      // root, this process's user, and whoever owns the state could stop the agent anyway.
      trusted: new Set([0, process.getuid?.() ?? 0, statSync(root).uid].map(String)),
      facts: serviceFacts,
      clock,
      log,
      fail,
    });
    return {
      addresses: {},
      async stop() {
        // A source may be waiting for room in a full spool: closing the deliverer lets it go.
        const stopped = shipping.stop();
        await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 500))]);
        await deliverer.close(1000);
        await stopped;
      },
    };
  },
);
