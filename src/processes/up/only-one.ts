import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { systemCode } from '#base/errors';
import type { StateDirectory } from '#base/state';
import { UpError } from './errors.ts';

/**
 * Makes sure that a state directory is run by one supervisor: holds a listening socket, run/up.sock, for as long as it
 * lives. The kernel drops it with the process, so nothing stale can block a later start.
 * @throws UpError `already-running`
 */
export const holdState = async (state: StateDirectory): Promise<{ release(): Promise<void> }> => {
  const path = join(state.run, 'up.sock');
  const server = createServer((socket) => socket.end(`${process.pid}\n`));
  try {
    await listen(server, path);
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE')
      throw new UpError('state-unusable', `could not listen on ${path}: ${String(error)}`, { cause: error });
    const pid = await holder(path);
    if (pid !== null) {
      throw new UpError(
        'already-running',
        `Holdfast is already running on ${state.root} (process ${pid}). End it first, or choose another --state`,
      );
    }
    rmSync(path, { force: true });
    await listen(server, path);
  }
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
};

const listen = async (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });

/** The pid of the supervisor that answers on the socket, or `null` if none does. */
const holder = async (path: string): Promise<string | null> =>
  new Promise((resolve) => {
    let said = '';
    const socket = connect(path);
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    socket.on('end', () => resolve(said.trim() || 'unknown'));
    socket.on('error', () => resolve(null));
  });
