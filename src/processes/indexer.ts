import { mkdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { systemCode } from '#base/errors';
import { stateDirectory } from '#base/state';
import { openIndex, vaultSource } from '#index';
import { startSearchServer } from '#search';

/** Vault → index → search over run/search.sock. Holds nothing that could not be made again. */
const indexerConfig = z.object({
  /** The state directory. */
  state: z.string().min(1),
  /** Bound of the engine's memory, bytes. */
  memory: z.int().positive().optional(),
});

/** The public key, `null` where it is not there to be read. */
const readKey = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) === null) throw error;
    return null;
  }
};

await runChild(
  'indexer',
  (config) => indexerConfig.parse(config),
  async (config, log) => {
    const state = stateDirectory(config.state);
    mkdirSync(state.index, { recursive: true, mode: 0o750 });
    mkdirSync(state.run, { recursive: true });
    const vkey = readKey(state.vkeyFile);
    if (vkey === null)
      log(
        'warning',
        `cannot read ${state.vkeyFile}: the signature of checkpoints is not checked, hashes are`,
      );
    const index = await openIndex({
      path: state.index,
      vault: vaultSource(state.vault, vkey),
      log,
      ...(config.memory === undefined ? {} : { memory: config.memory }),
    });
    const server = await startSearchServer({ socket: state.searchSocket, index, clock: systemClock(), log });
    return {
      addresses: { search: state.searchSocket },
      async stop() {
        await server.stop();
        await index.stop();
      },
    };
  },
);
