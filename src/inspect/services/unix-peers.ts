import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Enter } from './enter.ts';

/** One end of a pair of connected unix sockets. */
export type UnixEnd = { path: string | null; inode: number; peer: number };

/**
 * Connected unix sockets of a network namespace with their peers, which /proc does not tell: by ss(8).
 * @throws where ss is missing or refuses
 */
export const askUnixPeers = async (enter: Enter): Promise<UnixEnd[]> => {
  const [program = '', ...rest] = [...enter, 'ss', '-H', '-x', '-n', 'state', 'connected'];
  const { stdout } = await promisify(execFile)(program, rest, {
    timeout: 5_000,
    maxBuffer: 64 << 20,
  });
  return parseUnixPeers(stdout);
};

/** Lines of `ss -x -n`: `u_str ESTAB 0 0 /run/x.sock 196710 * 196711`; a socket without a path shows `*`. */
export const parseUnixPeers = (text: string): UnixEnd[] =>
  [...text.matchAll(/^u_\w+ +\S+ +\d+ +\d+ +(.+?) +(\d+) +(?:.+?) +(\d+) *$/gm)].map(
    ([, path, inode, peer]) => ({
      path: path === '*' || path === undefined ? null : path,
      inode: Number(inode),
      peer: Number(peer),
    }),
  );
