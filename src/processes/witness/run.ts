import { messageOf } from '#base/errors';
import { systemClock } from '#base/clock';
import { lockFile } from '#base/file-lock';
import { ownLog } from '#base/own-log';
import { CliError, Exit, type Context } from '#cli';
import { formatWitnessVkey, type Vkey } from '#vault/checkpoint';
import { openDurable } from '#vault/durable';
import {
  beginMemory,
  createWitness,
  knownLogs,
  loadWitnessSigner,
  openPublisher,
  openWatcher,
  openWitness,
  resume,
  startWatching,
  startWitnessServer,
  WitnessError,
} from '#witness';
import { keyFileOf, layoutOf, parseEvery, parseListen, parseLog, type Given } from './options.ts';

export { showWitness } from './show.ts';

/** What is wrong with a witness is for the person at the terminal, not a fault of ours. */
const explained = async <T>(act: () => T | Promise<T>): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof WitnessError) throw new CliError('refused', error.message, { cause: error });
    throw error;
  }
};

/** `--init`: makes the witness where there is none, makes its logs known, prints its public key. */
export const initWitness = ({ io }: Context, given: Given): Promise<Exit> =>
  explained(async () => {
    const logs = given.logs.map(parseLog);
    const layout = layoutOf(given);
    const { vkey } = createWitness(layout, keyFileOf(given), given.name ?? null);
    const durable = openDurable({ scratch: layout.scratch });
    const lock = await lockFile(layout.lock, 2000);
    if (lock === null)
      throw new WitnessError(
        'in-use',
        `the witness in ${layout.root} is at work: end it first, then make the log known`,
      );
    try {
      for (const origin of new Set(logs.map((log) => log.vkey.name))) {
        const begun = await beginMemory(layout, durable, origin, vkey);
        io.err(begun === 'begun' ? `${origin} is known from now on\n` : `${origin} was known already\n`);
      }
    } finally {
      lock.release();
    }
    io.out(`${formatWitnessVkey(vkey.name, vkey.publicKey)}\n`);
    return Exit.done;
  });

/** `--resume`: an operator has looked at the evidence. */
export const resumeLog = ({ io }: Context, given: Given, origin: string): Promise<Exit> =>
  explained(async () => {
    const layout = layoutOf(given);
    loadWitnessSigner(layout, keyFileOf(given));
    const lock = await lockFile(layout.lock, 2000);
    if (lock === null)
      throw new WitnessError('in-use', `the witness in ${layout.root} is at work: end it first`);
    try {
      await resume(layout, openDurable({ scratch: layout.scratch }), origin);
    } finally {
      lock.release();
    }
    io.err(`${origin} is cosigned again from what is remembered; its evidence stays in ${layout.evidence}\n`);
    return Exit.done;
  });

/** Serves and asks until it is told to end. */
export const runWitness = ({ io }: Context, given: Given): Promise<Exit> =>
  explained(async () => {
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    });
    const logs = given.logs.map(parseLog);
    const listen = given.listen === undefined ? null : parseListen(given.listen);
    const every = parseEvery(given.every);
    if (logs.length === 0)
      throw new CliError('usage', 'no log to witness: name one with --log VKEY or --log VKEY=URL');
    const watched = logs.filter(({ publisher }) => publisher !== null);
    if (listen === null && watched.length === 0)
      throw new CliError(
        'usage',
        'nothing to do: --listen HOST:PORT takes checkpoints, --log VKEY=URL asks for them',
      );
    const log = ownLog('witness');
    const clock = systemClock();
    const vkeys: readonly Vkey[] = logs.map(({ vkey }) => vkey);
    const layout = layoutOf(given);
    const signer = loadWitnessSigner(layout, keyFileOf(given));
    const witness = await openWitness({
      layout,
      signer,
      logs: knownLogs(vkeys),
      clock,
      log,
      fail(error) {
        log('error', `${messageOf(error)}. Ending: what was not stored was not signed`);
        process.exit(1);
      },
    });
    try {
      const server = listen === null ? null : await startWitnessServer({ witness, ...listen, log });
      const watching = watched.flatMap(({ vkey, publisher: place }) => {
        if (place === null) return [];
        const origin = vkey.name;
        const keys = vkeys.filter(({ name }) => name === origin);
        const watcher = openWatcher(witness, openPublisher(place, origin, keys), origin, clock);
        return [startWatching({ watcher, origin, shown: place.shown, every, log, random: Math.random })];
      });
      io.out(`${formatWitnessVkey(signer.vkey.name, signer.vkey.publicKey)}\n`);
      for (const origin of witness.origins)
        io.out(`witnessing ${origin}, size ${witness.seen(origin)?.head.size ?? 0}\n`);
      if (server !== null) {
        const host = server.host.includes(':') ? `[${server.host}]` : server.host;
        io.out(`listening on http://${host}:${server.port}/add-checkpoint\n`);
      }
      await stopped;
      await Promise.all([server?.stop(), ...watching.map((one) => one.stop())]);
    } finally {
      await witness.close();
    }
    // A publisher that was asked and does not answer must not keep the terminal.
    process.exit(Exit.done);
  });
