import { mkdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { runChild } from '#base/child';
import { systemClock } from '#base/clock';
import { messageOf, systemCode } from '#base/errors';
import { stateDirectory } from '#base/state';
import { alertRoutes } from '#alert';
import { openIndex, vaultSource, type IndexServer, type KeyReader } from '#index';
import { connectOwn } from '#ship/delivery';
import { openFreshness, startSearchServer, warmUp } from '#search';
import { alertingConfig, openAlerting } from './alerting.ts';
import { closeAfter } from './last-words.ts';
import { recordReads } from './reads.ts';

/** Vault → index → search over run/search.sock. Nothing in the index that could not be made again. */
const indexerConfig = z.object({
  /** The state directory. */
  state: z.string().min(1),
  /** Unix socket to serve on. Default: run/search.sock of the state directory. Its directory has to be there. */
  socket: z.string().min(1).optional(),
  /** Keys of the witnesses whose cosignatures say how new the vault is. */
  witnesses: z.array(z.string()).optional(),
  /** Bound of this process's memory, bytes. */
  memory: z.int().positive().optional(),
  alerts: alertingConfig.optional(),
  /** The server or cluster that keeps the index; left out: this process. */
  server: z
    .object({
      url: z.string(),
      user: z.string(),
      database: z.string(),
      cluster: z.string().nullable(),
      passwordFile: z.string().nullable(),
      caFile: z.string().nullable(),
    })
    .optional(),
});

type ServerConfig = NonNullable<z.infer<typeof indexerConfig>['server']>;

/** The password stands in no configuration and on no command line. */
const serverOf = ({ passwordFile, caFile, ...place }: ServerConfig): IndexServer => ({
  ...place,
  password: () => (passwordFile === null ? '' : readFileSync(passwordFile, 'utf8').trimEnd()),
  ca: caFile === null ? null : readFileSync(caFile),
});

const keyReader =
  (file: string): KeyReader =>
  () => {
    try {
      return { vkey: readFileSync(file, 'utf8').trim() };
    } catch (error) {
      if (systemCode(error) === null) throw error;
      return { missing: `the public key cannot be read (${messageOf(error)})` };
    }
  };

await runChild(
  'indexer',
  (config) => indexerConfig.parse(config),
  async (config, log, fail) => {
    const state = stateDirectory(config.state);
    mkdirSync(state.index, { recursive: true, mode: 0o750 });
    const socket = config.socket ?? state.searchSocket;
    const vault = vaultSource(state.vault, keyReader(state.vkeyFile));
    const unsigned = vault.unsigned();
    if (unsigned !== null)
      log('warning', `${unsigned}: the signature of checkpoints is not checked, hashes are`);
    const index = await openIndex({
      path: state.index,
      vault,
      log,
      onGone: fail,
      ...(config.memory === undefined ? {} : { memory: config.memory }),
      ...(config.server === undefined ? {} : { server: serverOf(config.server) }),
    });
    const clock = systemClock();
    const freshness = openFreshness({
      vault: state.vault,
      keys: state.keys,
      readKey: keyReader(state.vkeyFile),
      witnesses: config.witnesses ?? [],
      clock,
    });
    const deliverer = await connectOwn({
      socket: state.ownSocket,
      sender: 'indexer',
      stream: 'indexer',
      spool: state.outbox,
      clock,
      log,
    });
    const record = recordReads(deliverer, clock, log);
    const alerting =
      config.alerts === undefined
        ? null
        : await openAlerting(config.alerts, { state, index, clock, log, deliverer });
    const more = alertRoutes(alerting);
    const server = await startSearchServer({ socket, index, clock, log, record, freshness, more });
    const ending = new AbortController();
    // Whoever asks will be told what fails.
    warmUp(index, clock, ending.signal).catch(() => undefined);
    return {
      addresses: { search: socket },
      async stop() {
        ending.abort();
        await server.stop();
        await closeAfter(
          alerting !== null && 'stop' in alerting ? alerting.stop() : Promise.resolve(),
          deliverer,
        );
        await index.stop();
      },
    };
  },
);
