import { realpathSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { stateDirectory } from '#base/state';
import { connectOwn, remoteReceiver, startShipping, type Fact } from '#ship';
import { startAgentWitness } from './agent-witness.ts';
import { ownFacts } from './own-facts.ts';

const config = z.strictObject({
  /** Root of the state directory; `spool/` in it belongs to this process's user. */
  state: z.string().min(1),
  /** Directories whose text files are followed. */
  logRoots: z.array(z.string().min(1)).default(['/var/log']),
  journal: z.enum(['auto', 'off']).default('auto'),
  /** Read only where there is no journal. */
  kernelRing: z.enum(['auto', 'off']).default('auto'),
  /** File with the facts of this host, kept fresh by the supervisor; without it the agent looks itself. */
  factsFile: z.string().optional(),
  /** A receiver elsewhere; without it the one of this state directory. */
  server: z
    .strictObject({
      host: z.string().min(1),
      port: z.int().min(1).max(65_535),
      files: z.strictObject({ key: z.string(), certificate: z.string(), authority: z.string() }),
    })
    .optional(),
  /** Where that log is published, and the file with its public key. */
  published: z.strictObject({ at: z.string(), vkeyFile: z.string() }).optional(),
  /** Whether it also remembers what the log has signed, and cosigns what continues it. */
  witness: z.enum(['on', 'off']).default('on'),
});

/** What the supervisor saw of this host, where this process may not look itself. */
const factsFrom = (file: string): (() => Promise<readonly Fact[]>) => {
  let last: { mtimeMs: number; facts: readonly Fact[] } | null = null;
  return async () => {
    const { mtimeMs } = await stat(file);
    if (last?.mtimeMs !== mtimeMs)
      last = { mtimeMs, facts: factList.parse(JSON.parse(await readFile(file, 'utf8'))) };
    return last.facts;
  };
};

const line = z.looseObject({ kind: z.string() });
const factList = z.array(
  z.object({
    name: z.string(),
    value: z.unknown(),
    news: z.object({ opened: line, closed: line }).optional(),
  }),
);

await runChild(
  'agent',
  (value) => config.parse(value),
  async ({ state, logRoots, journal, kernelRing, factsFile, server, published, witness }, log, fail) => {
    const { root, spool, ownSocket: socket, publishSocket, vkeyFile } = stateDirectory(state);
    const clock = systemClock();
    const deliverer = await connectOwn({
      socket: server === undefined ? socket : remoteReceiver(server.host, server.port, server.files),
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
      facts: factsFile === undefined ? ownFacts() : factsFrom(factsFile),
      clock,
      log,
      fail,
    });
    const witnessed = server === undefined ? { at: `unix:${publishSocket}`, vkeyFile } : (published ?? null);
    const witnessing =
      witness === 'on' && witnessed !== null
        ? startAgentWitness({
            spool,
            publisher: witnessed.at,
            vkeyFile: witnessed.vkeyFile,
            clock,
            log,
            fail,
          })
        : null;
    return {
      addresses: {},
      async stop() {
        // A source may be waiting for room in a full spool: closing the deliverer lets it go.
        const stopped = shipping.stop();
        const patience = new Promise((resolve) => setTimeout(resolve, 500));
        await Promise.race([Promise.all([stopped, witnessing?.stop()]), patience]);
        await deliverer.close(1000);
        await stopped;
      },
    };
  },
);
