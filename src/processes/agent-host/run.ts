import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ownLog } from '#base/own-log';
import type { StateDirectory } from '#base/state';
import { CliError, Exit, type Context } from '#cli';
import { supervise } from '../up/child.ts';
import { environment } from '../up/environment.ts';
import { UpError } from '../up/errors.ts';
import { fencedCommand, plainCommand, probeFence, type Command } from '../up/fence.ts';
import { keepDoorsWatched } from '../door-watch.ts';
import { accounts } from '../up/accounts.ts';
import { prepareAgentLayout } from '../up/layout.ts';
import { holdState } from '../up/only-one.ts';
import { keepRenewed } from './renewal.ts';
import { readAgentOptions, type AgentOptions, type Given } from './options.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const graceMs = 2500;

/**
 * Runs the agent alone, for a receiver elsewhere, until it is told to end. As with `holdfast up`, root gives it an
 * unprivileged user and looks at the host for it.
 */
export const runAgent = async ({ io, state }: Context, given: Given): Promise<Exit> => {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  const log = ownLog('agent-host');
  const options = readAgentOptions(state, given);
  const privileged = process.getuid?.() === 0 ? 'root' : 'ordinary user';
  const held = await explained(async () => {
    prepareAgentLayout(state, privileged, options.files);
    return holdState(state);
  });
  const facts = privileged === 'root' ? await keepDoorsWatched(state, log, accounts.agent) : null;
  const child = supervise(
    'agent',
    command(state, privileged, configOf(state, options, facts?.file ?? null)),
    environment(state),
    log,
    () => undefined,
  );
  const renewing = keepRenewed(root, state, log);
  const first = await child.firstStart;
  if (first.result === 'serves')
    io.out(
      `sending this host’s logs to ${options.host}:${options.port}; what it does not take waits in ${state.spool}\n`,
    );
  await stopped;
  renewing.stop();
  await child.stop(graceMs);
  facts?.stop();
  held.release();
  return Exit.done;
};

const explained = async <T>(act: () => Promise<T>): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    if (error instanceof UpError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
};

const configOf = (
  state: StateDirectory,
  { host, port, files, published }: AgentOptions,
  factsFile: string | null,
): string =>
  JSON.stringify({
    state: state.root,
    server: { host, port, files },
    ...(published === null ? {} : { published }),
    ...(factsFile === null ? {} : { factsFile }),
  });

const command = (state: StateDirectory, privileged: 'root' | 'ordinary user', config: string): Command => {
  if (privileged !== 'root') return plainCommand(root, 'agent', config);
  const codeMount = join(state.run, 'code');
  mkdirSync(codeMount, { recursive: true, mode: 0o755 });
  // It has to reach the other host.
  return fencedCommand(root, 'agent', config, probeFence(root), codeMount, { network: 'host' });
};
