import { systemCode } from '#base/errors';
import { closeSync, openSync, readSync } from 'node:fs';

const chunk = Buffer.allocUnsafe(65536);

/**
 * The text of a /proc/net table, `null` where the kernel has no such table. The kernel hands out whole rows, about
 * 4 KiB at a time.
 *
 * TCP tables begin with the listening sockets (net/ipv4/tcp_ipv4.c `tcp_get_idx`), and everything after them can be
 * millions of connections, so reading stops at the first piece that has rows but no listening one.
 *
 * @param extent `whole`: connections too
 * @throws the system error, other than ENOENT, e.g. EACCES
 */
export const readTable = (
  directory: string,
  file: string,
  extent: 'listening' | 'whole' = 'listening',
): string | null => {
  let descriptor: number;
  try {
    descriptor = openSync(`${directory}/${file}`, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const listeningFirst = extent === 'listening' && file.startsWith('tcp');
    let text = '';
    for (;;) {
      const length = readSync(descriptor, chunk);
      if (length === 0) return text;
      const piece = chunk.toString('latin1', 0, length);
      text += piece;
      if (listeningFirst && !piece.includes(' 0A ') && / 0[1-9B-F] /.test(piece)) return text;
    }
  } finally {
    closeSync(descriptor);
  }
};
