import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { messageOf, systemCode } from '#base/errors';
import { bind } from '#http';
import { PublishError } from './errors.ts';

/** sun_path, unix(7), less the terminating NUL. */
const longestPath = 107;

/**
 * Listens on a unix socket of mode 0660. What a killed process left at the path makes way, and nothing else does.
 * @throws PublishError `socket-in-use`, `socket-path`
 */
export const listenUnix = async (server: Server, path: string): Promise<void> => {
  if (Buffer.byteLength(path) > longestPath)
    throw new PublishError(
      'socket-path',
      `${path} is too long for a unix socket (${longestPath} bytes at most). Use a shorter --state directory`,
    );
  try {
    const found = await lstat(path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return null;
      throw error;
    });
    if (found !== null) {
      if (!found.isSocket()) throw new Error('something that is no socket is there');
      if (await answers(path))
        throw new PublishError(
          'socket-in-use',
          `another publisher answers at ${path}. Stop it, or use another --state directory`,
        );
      await unlink(path);
    }
    // bind(2) makes the file with the mode that the umask leaves: set before, it is never open to others.
    const umask = process.umask(0o117);
    try {
      server.listen(path);
    } finally {
      process.umask(umask);
    }
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof PublishError) throw error;
    throw new PublishError(
      'socket-path',
      `cannot listen on ${path}: ${messageOf(error)}. Its directory must exist and belong to the publisher's user`,
      { cause: error },
    );
  }
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** @returns `HOST:PORT` as bound @throws PublishError `address` */
export const listenTcp = async (
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<string> => {
  try {
    return (await bind(server, { host, port })).shown;
  } catch (error) {
    throw new PublishError(
      'address',
      `cannot publish on ${host} port ${port}: ${messageOf(error)}. Choose another address with --publish HOST:PORT`,
      { cause: error },
    );
  }
};
