import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { systemCode } from '#base/errors';
import { ReceiveError } from '../errors.ts';

/** sun_path, unix(7), less the terminating NUL. */
const longestPath = 107;

/**
 * Makes way for a unix socket at `path`: removes what a killed process left there, and nothing else.
 * @throws ReceiveError `own-socket-in-use` if a process answers, `own-socket-path` if no socket can be made there
 */
export const clearSocketPath = async (path: string): Promise<void> => {
  if (Buffer.byteLength(path) > longestPath) {
    throw new ReceiveError(
      'own-socket-path',
      `${path} is too long for a unix socket (${longestPath} bytes at most). Use a shorter --state directory`,
    );
  }
  const found = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw new ReceiveError(
      'own-socket-path',
      `cannot look at ${path}: the receiver needs run/ prepared for it`,
      {
        cause: error,
      },
    );
  });
  if (found === null) return;
  if (!found.isSocket()) {
    throw new ReceiveError(
      'own-socket-path',
      `${path} is there and is not a socket. Look at what it is, then remove it`,
    );
  }
  if (await answers(path)) {
    throw new ReceiveError(
      'own-socket-in-use',
      `another receiver answers at ${path}. Stop it, or use another --state directory`,
    );
  }
  await unlink(path);
};

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      if (systemCode(error) === 'ECONNREFUSED' || systemCode(error) === 'ENOENT') return resolve(false);
      // EAGAIN: its backlog is full. EACCES: it belongs to somebody else. Either way it is not ours to remove.
      reject(
        new ReceiveError(
          'own-socket-in-use',
          `${path} is there and cannot be asked (${error.message}). Remove it by hand`,
          {
            cause: error,
          },
        ),
      );
    });
  });
